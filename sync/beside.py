"""The rows of a long recovery, made beside the work: what a rebuild would come to, in a scratch database.

Taking history back may change the order in which an author's facts apply, and then its rows are made again. Made in the
transaction that takes the history over, that would hold up recording for as long as a rebuild of all that was ever
recorded. So the final order is foreseen and applied beside, while recording goes on; the transaction proves by the
hashes of the chain that it was foreseen rightly, applies what was recorded since, and writes only the rows that differ.
Afterwards both sides are compared until they agree: a fact recorded meanwhile was applied to the older rows.

What was foreseen wrongly (the peer's word changed the plan) costs the time and is made again in the transaction.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from shared.db.engine import picture, read, write
from shared.errors import StrandlineError
from shared.journal.apply import Appliers
from shared.journal.journal import lock_head
from shared.journal.position import lock_applying
from shared.journal.reading import Life, Stored, entries_after, hash_at, lives
from shared.journal.rederive import Scratch, empty_scratch
from shared.journal.replay import apply_entries
from shared.journal.swap import Suspects, find_suspects, take_over_the_rest, write_suspects
from shared.logs import get
from sync.foreseeing import Foreseen
from sync.staging import Piece, pieces
from sync.storing import fact_rows

log = get("recovery")

FROM_ENTRIES = 2_000
"""Fewer are applied in the transaction itself: that takes half a second, about as long as a scratch database."""

ENTRIES_AT_ONCE = 2_000
ROUNDS_MAX = 5
"""Comparisons after the rows were taken over; facts recorded meanwhile need one or two."""


@dataclass
class Beside:
    """Rows that were made beside; `places` says how far: the epochs in their order, each with its last place and hash.

    carried  ids of facts foreseen to begin a new epoch, applied after all places
    """

    scratch: Scratch
    appliers: Appliers
    now_ms: int
    places: list[tuple[str, int, str]] = field(default_factory=list)
    carried: list[str] = field(default_factory=list)
    suspects: Suspects = field(default_factory=dict)

    def swap(self, conn: Connection) -> bool:
        """Take the rows over, in the transaction that took the history over; False when it is not what was foreseen."""
        if not self._leads_here(conn):
            return False
        self._follow(conn)
        write_suspects(conn, self.scratch, self.suspects)
        take_over_the_rest(conn, self.scratch)
        return True

    def settle(self, engine: Engine) -> int:
        """Compare until both sides agree; returns how many rows were still not the same."""
        total = 0
        for _ in range(ROUNDS_MAX):
            with picture(engine) as conn:
                self._follow(conn)
                self.suspects = find_suspects(conn, self.scratch)
            if not self.suspects:
                return total
            total += sum(map(len, self.suspects.values()))
            with write(engine) as conn:
                lock_head(conn, self.scratch.author, 0)
                lock_applying(conn)
                self._follow(conn)
                write_suspects(conn, self.scratch, self.suspects)
        log.warning("rows still differ; the night's comparison looks again", rows=total)
        return total

    def _leads_here(self, conn: Connection) -> bool:
        """Whether the journal begins as it was foreseen. The last place may be behind its epoch's end, none before."""
        author, found = self.scratch.author, lives(conn, self.scratch.author)
        for at, (epoch, seq, digest) in enumerate(self.places):
            if at >= len(found) or found[at].epoch != epoch or hash_at(conn, author, epoch, seq) != digest:
                return False
            if found[at].seq > seq and (at < len(self.places) - 1 or self.carried):
                return False
        self.scratch.done = {epoch: seq for epoch, seq, _ in self.places}
        if not self.carried:
            return True
        child = found[len(self.places)] if len(found) > len(self.places) else None
        if child is None or _ids(conn, child, len(self.carried)) != self.carried:
            return False
        self.scratch.done[child.epoch] = len(self.carried)
        return True

    def _follow(self, conn: Connection) -> None:
        """Apply what the journal has beyond what is done."""
        for life in lives(conn, self.scratch.author):
            while (seq := self.scratch.done.get(life.epoch, 0)) < life.seq:
                entries = entries_after(conn, life.stream, life.epoch, seq, ENTRIES_AT_ONCE)
                apply_entries(self.scratch.conn, self.appliers, entries, self.now_ms)
                self.scratch.done[life.epoch] = entries[-1].seq


@contextmanager
def beside(
    engine: Engine, appliers: Appliers, code: str, foreseen: Foreseen, folder: Path, now_ms: int
) -> Iterator[Beside | None]:
    """The rows after a recovery, made while recording goes on; None for a short one, or where there is no room."""
    if foreseen.entries < FROM_ENTRIES:
        yield None
        return
    with ExitStack() as stack:
        made: Beside | None = None
        try:
            made = Beside(stack.enter_context(empty_scratch(engine, code, folder)), appliers, now_ms)
            _make(engine, made, code, foreseen)
        except (SQLAlchemyError, StrandlineError, OSError) as error:
            made = None
            log.warning("rows are not made beside", reason=str(error)[:300])
        yield made


def _make(engine: Engine, made: Beside, code: str, foreseen: Foreseen) -> None:
    for epoch in foreseen.plan.order:
        made.places.append(_apply_epoch(engine, made, code, foreseen, epoch))
    if foreseen.plan.child:
        made.carried = _apply_carried(engine, made, code, foreseen)
    with picture(engine) as conn:
        made.suspects = find_suspects(conn, made.scratch)


def _apply_epoch(engine: Engine, made: Beside, code: str, foreseen: Foreseen, epoch: str) -> tuple[str, int, str]:
    """One epoch as it will be: ours up to where it is kept, then what comes; returns how far that is."""
    step = next((step for step in foreseen.plan.steps if step.epoch == epoch), None)
    last = ("", 0)
    for entries in _own(engine, code, epoch, step.keep if step else None):
        apply_entries(made.scratch.conn, made.appliers, entries, made.now_ms)
        last = (entries[-1].hash, entries[-1].seq)
    if step is not None and step.take > step.keep:
        with read(engine) as conn:
            for piece in pieces(conn, step):
                apply_entries(made.scratch.conn, made.appliers, _coming(piece), made.now_ms)
        last = (step.head, step.take)
    with read(engine) as conn:
        return epoch, last[1], last[0] or hash_at(conn, code, epoch, 0) or ""


def _coming(piece: Piece) -> list[Stored]:
    """Entries of a staged batch, as they will stand in the journal."""
    seal = piece.batch.seal
    rows = zip(piece.entries, fact_rows(seal, piece.entries), strict=True)
    return [
        Stored(seal.stream, seal.epoch, item.seq, item.hash, row.fact_id, row.author, row.type, row.version,
               row.recorded_at_ms, item.body, None)
        for item, row in rows
    ]  # fmt: skip


def _apply_carried(engine: Engine, made: Beside, code: str, foreseen: Foreseen) -> list[str]:
    """What goes aside and begins the new epoch, in the order of going."""
    ids: list[str] = []
    for epoch, keep in foreseen.asides():
        for entries in _own(engine, code, epoch, None, keep):
            fresh = [item for item in entries if item.fact_id not in foreseen.fates]
            apply_entries(made.scratch.conn, made.appliers, fresh, made.now_ms)
            ids += [item.fact_id for item in fresh]
    return ids


def _own(engine: Engine, code: str, epoch: str, up_to: int | None, after: int = 0) -> Iterator[Sequence[Stored]]:
    """Our entries of an epoch, some at a time, each time in a short read of its own."""
    while True:
        most = ENTRIES_AT_ONCE if up_to is None else min(ENTRIES_AT_ONCE, up_to - after)
        if most <= 0:
            return
        with read(engine) as conn:
            entries = entries_after(conn, code, epoch, after, most)
        if not entries:
            return
        yield entries
        after = entries[-1].seq


def _ids(conn: Connection, life: Life, count: int) -> list[str]:
    """The ids of an epoch's first facts."""
    found: list[str] = []
    while len(found) < count:
        some = entries_after(conn, life.stream, life.epoch, len(found), min(ENTRIES_AT_ONCE, count - len(found)))
        if not some:
            break
        found += [item.fact_id for item in some]
    return found
