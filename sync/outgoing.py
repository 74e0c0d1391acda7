"""Making sealed batches of a node's own streams: what a reader lacks, read in order, packed once, signed once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import takewhile

from sqlalchemy import Connection, update

from shared.journal.chain import chain
from shared.journal.journal import lock_head
from shared.journal.reading import Life, Stored, entries_after, hash_at, lives
from shared.journal.tables import head
from shared.keys import SigningKey
from sync.errors import EntryDamaged
from sync.limits import PROTOCOL
from sync.messages import SEAL, ZERO_HASH, Branch, Counters, EpochState, Seal
from sync.pack import Origin, PackedEntry, join, pack_entries
from sync.positions import Span
from sync.seal import digest, sign

Limit = Callable[[], int | None]
"""ms of the oldest Level-2 message that is not interpreted or not repaired, None when there is none."""


@dataclass(frozen=True)
class Addressed:
    """Who seals, for whom, in which session."""

    node: str
    audience: str
    incarnation: str
    session: str
    key: SigningKey


@dataclass(frozen=True)
class Sealed:
    """A batch or heartbeat ready to be sent."""

    seal: Seal
    envelope: bytes
    body: bytes

    @property
    def entries(self) -> int:
        """How many entries it carries; 0 for a heartbeat."""
        return self.seal.last - self.seal.first + 1


@dataclass(frozen=True)
class Run:
    """Entries of one epoch, in order, with the hashes around them."""

    stream: str
    epoch: str
    parent: Branch | None
    first: int
    prev: str
    entries: tuple[Stored, ...]

    @property
    def last(self) -> int:
        """The last sequence number; first - 1 when there are no entries."""
        return self.first + len(self.entries) - 1

    @property
    def head(self) -> str:
        """The chain's hash at the last entry."""
        return self.entries[-1].hash if self.entries else self.prev


def states(conn: Connection, stream: str) -> tuple[EpochState, ...]:
    """The epochs of a stream, oldest first, as they are shown to a peer."""
    return tuple(EpochState(stream, life.epoch, life.seq, life.hash, _branch(life)) for life in lives(conn, stream))


def read_run(conn: Connection, span: Span, entries_max: int, bytes_max: int) -> Run:
    """The first entries of what is missing, within the limits; always at least one. EntryDamaged."""
    found = entries_after(conn, span.stream, span.epoch, span.first - 1, min(entries_max, span.entries))
    size, count = 0, 0
    for item in found:
        size += len(item.body)
        if count and size > bytes_max:
            break
        count += 1
    parent = {life.epoch: _branch(life) for life in lives(conn, span.stream)}[span.epoch]
    prev = hash_at(conn, span.stream, span.epoch, span.first - 1) or ZERO_HASH
    return Run(span.stream, span.epoch, parent, span.first, prev, tuple(_sound(found[:count], prev)))


def _sound(entries: Sequence[Stored], previous: str) -> Sequence[Stored]:
    """The entries up to the first whose bytes are not those that were chained: a damaged one is never sent."""
    if not entries:
        return entries
    start = entries[0]
    made = chain(start.epoch, start.stream, start.seq, previous, (item.body for item in entries))
    sound = sum(1 for _ in takewhile(bool, (item.hash == digest for item, digest in zip(entries, made, strict=True))))
    if not sound:
        raise EntryDamaged(start.stream, start.epoch, start.seq)
    return entries[:sound]


def empty_run(conn: Connection, stream: str) -> Run:
    """No entries, at the head of the stream's present epoch: what a heartbeat seals."""
    row = lock_head(conn, stream, 0)
    parent = {life.epoch: _branch(life) for life in lives(conn, stream)}[row.epoch]
    return Run(stream, row.epoch, parent, row.seq + 1, row.hash, ())


def promise(conn: Connection, run: Run, now_ms: int, limit: Limit) -> int:
    """complete_through for this run (sync-protocol.md, 1.7), in a write transaction.

    At the head of the present epoch: just before now, and the head remembers now as the least time of the next fact,
    so that the promise holds even if the clock steps back. Before the head: just before the last entry's own time, as
    long as times rise to the head; after a restore they need not (a wrong clock, facts carried over), so nothing is
    promised until the head is reached.
    """
    row = lock_head(conn, run.stream, 0)
    if (row.epoch, row.seq) == (run.epoch, run.last):
        floor: int = max(now_ms, row.recorded_at_ms)
        conn.execute(update(head).where(head.c.stream == run.stream).values(recorded_at_ms=floor))
        through = floor - 1
    else:
        rising = row.epoch == run.epoch and run.parent is None and ">" not in run.stream
        through = run.entries[-1].recorded_at_ms - 1 if run.entries and rising else 0
    oldest = limit()
    return through if oldest is None else min(through, oldest - 1)


def seal_run(run: Run, complete_through: int, to: Addressed, sent_ms: int, counters: Counters | None = None) -> Sealed:
    """Pack and sign a run for one reader; counters are the highest business numbers given out by now."""
    raw = pack_entries(PackedEntry(item.body, Origin(*item.origin) if item.origin else None) for item in run.entries)
    seal = Seal(
        proto=PROTOCOL,
        node=to.node,
        audience=to.audience,
        sent_ms=sent_ms,
        kind="batch" if run.entries else "heartbeat",
        stream=run.stream,
        epoch=run.epoch,
        parent=run.parent,
        first=run.first,
        last=run.last,
        prev=run.prev,
        head=run.head,
        bytes=digest(raw),
        complete_through=complete_through,
        incarnation=to.incarnation,
        session=to.session,
        key=to.key.id,
        counters=counters or {},
    )
    envelope = sign(to.key, SEAL, seal)
    return Sealed(seal, envelope, join(envelope, raw))


def _branch(life: Life) -> Branch | None:
    return Branch(*life.parent) if life.parent else None
