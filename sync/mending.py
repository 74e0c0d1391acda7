"""Taking a recovery over, in one transaction: what is staged comes in, what parted goes aside, its facts are carried.

The plan is made again under the lock of the head, because recording went on while history was fetched; the places where
the chains agree are the same, since entries are only ever added after them.

Facts have the same id wherever they were made from the same cause. So a fact may be in what comes back and in what was
written since: with the same bytes it keeps the earlier place; with other bytes the one that the peer holds stays, ours
goes aside with its entry and is told.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, delete, exists, func, insert, select, update

from shared.journal.abandon import abandon
from shared.journal.bulk import append_many
from shared.journal.chain import GENESIS
from shared.journal.highest import Outside, jump
from shared.journal.journal import Journal, open_epoch
from shared.journal.life import renew_instance
from shared.journal.position import lock_applying
from shared.journal.reading import Stored, hash_at, last_entry
from shared.journal.rebuild_author import apply_epoch, rebuild_author
from shared.journal.tables import entry, fact, head
from shared.journal.tables import epoch as epoch_table
from sync.beside import Beside
from sync.caller import Session
from sync.foreseeing import foresee
from sync.incoming import keep_seal
from sync.marks import drop_seals
from sync.meeting import renumber
from sync.messages import EpochState
from sync.recovery import Plan
from sync.staging import clear, pieces
from sync.storing import store_entries
from sync.tables import position

IDS_A_QUERY = 500


@dataclass(frozen=True)
class Mended:
    """What a recovery did. `contradicted` are facts of ours whose id the peer holds with other bytes."""

    plan: Plan
    taken: int
    carried: int
    contradicted: tuple[str, ...]

    def tell(self) -> tuple[str, str]:
        """For people: what happened, and the evidence."""
        steps = [f"{s.cause} {s.epoch[:8]} at {s.keep}, taken to {s.take}" for s in self.plan.steps]
        steps += [f"rewritten {epoch[:8]}" for epoch in self.plan.folded]
        steps += [f"{moved.epoch[:8]} stands on entry {moved.seq} of {moved.parent[:8]}" for moved in self.plan.rebased]
        what = f"Own history mended: {'; '.join(steps)}. {self.taken} entries came back, {self.carried} facts carried"
        lost = f", {len(self.contradicted)} of ours gave way to other bytes of the same id" if self.contradicted else ""
        heads = "; ".join(f"{s.cause} {s.epoch} keep {s.keep} take {s.take} {s.head}" for s in self.plan.steps)
        return f"{what}{lost}.", f"{heads}. Gave way: {', '.join(self.contradicted[:50]) or 'none'}"


def mend(
    conn: Connection,
    journal: Journal,
    outside: Outside,
    session: Session,
    meets: dict[str, int],
    beside: Beside | None = None,
) -> Mended:
    """Carry a recovery out, in the caller's write transaction; everything it takes must be staged.

    beside  the rows that it comes to, if they were made before
    """
    return _Mending(conn, journal, session.holds, meets, beside).run(outside, session.counters)


class _Mending:
    """One recovery in its transaction."""

    def __init__(
        self,
        conn: Connection,
        journal: Journal,
        holds: Sequence[EpochState],
        meets: dict[str, int],
        beside: Beside | None,
    ) -> None:
        self.conn, self.journal, self.code, self.now = conn, journal, journal.code, journal.clock.now_ms()
        conn.execute(select(head).where(head.c.stream == self.code).with_for_update())
        self.seen = foresee(conn, self.code, holds, meets)
        self.plan, self.fates = self.seen.plan, self.seen.fates
        self.beside, self.under_other_ids = beside, False

    def run(self, outside: Outside, counters: dict[str, int]) -> Mended:
        """All of it, in an order that the database's own guards allow."""
        lock_applying(self.conn)
        carried = [item for epoch, keep in self.seen.asides() for item in self._put_aside(epoch, keep)]
        self._drop_contradicted()
        taken = self._take()
        self._order()
        if self.plan.child:
            self._open_child()
            jump(self.conn, outside, counters)
        count = append_many(self.conn, self.code, carried)
        self._apply()
        clear(self.conn, self.code)
        self.conn.execute(delete(position).where(position.c.stream == self.code))
        gave_way = tuple(sorted(i for i, fate in self.fates.items() if fate == "contradicted"))
        return Mended(self.plan, taken, count, gave_way)

    def _apply(self) -> None:
        """Bring the rows to what the journal says now: taken over where they were made beside, else made here."""
        if self.beside is not None and not self.under_other_ids and self.beside.swap(self.conn):
            return
        appliers = self.journal.appliers
        if not self.seen.comes_last():
            rebuild_author(self.conn, appliers, self.code, self.now)
            return
        for step in self.plan.steps:
            apply_epoch(self.conn, appliers, self.code, step.epoch, step.keep, self.now)

    def _put_aside(self, epoch: str, keep: int) -> list[Stored]:
        gone = abandon(self.conn, self.code, epoch, keep, self.fates, self.now)
        drop_seals(self.conn, self.code, epoch, keep)
        if epoch in self.plan.folded:
            c = epoch_table.c
            self.conn.execute(delete(epoch_table).where(c.stream == self.code, c.epoch == epoch))
        return gone

    def _drop_contradicted(self) -> None:
        """Make room for the bytes that stay; a fact that an entry still names is left, and its twin told apart."""
        ids = [i for i, fate in self.fates.items() if fate == "contradicted"]
        for at in range(0, len(ids), IDS_A_QUERY):
            chosen = fact.c.fact_id.in_(ids[at : at + IDS_A_QUERY])
            self.conn.execute(delete(fact).where(chosen, ~exists().where(entry.c.fact_id == fact.c.fact_id)))

    def _take(self) -> int:
        taken = 0
        for number, step in enumerate(self.plan.steps):
            if step.cause == "forgotten":
                self._insert_epoch(step.state, -1_000_000 - number)
            for piece in pieces(self.conn, step):
                if piece.entries:
                    self.under_other_ids |= bool(store_entries(self.conn, piece.batch.seal, piece.entries))
                    taken += len(piece.entries)
                if piece.batch.seal.last <= step.take:
                    keep_seal(self.conn, piece.batch, self.now)
        return taken

    def _insert_epoch(self, state: EpochState, ordinal: int) -> None:
        parent = state.parent
        self.conn.execute(
            insert(epoch_table).values(
                stream=self.code,
                epoch=state.epoch,
                ordinal=ordinal,
                reason="recovered",
                opened_at_ms=self.now,
                parent_epoch=parent.epoch if parent else None,
                parent_seq=parent.seq if parent else None,
                parent_hash=parent.hash if parent else None,
            )
        )

    def _order(self) -> None:
        renumber(self.conn, self.code, self.plan.order)
        for moved in self.plan.rebased:
            branch = hash_at(self.conn, self.code, moved.parent, moved.seq)
            c = epoch_table.c
            self.conn.execute(
                update(epoch_table)
                .where(c.stream == self.code, c.epoch == moved.epoch)
                .values(parent_epoch=moved.parent, parent_seq=moved.seq, parent_hash=branch)
            )

    def _open_child(self) -> None:
        seq, digest = last_entry(self.conn, self.code, self.plan.parent)
        latest = select(func.coalesce(func.max(fact.c.recorded_at_ms), 0)).where(fact.c.author == self.code)
        place = {"epoch": self.plan.parent, "seq": seq, "hash": digest or GENESIS}
        row = self.conn.execute(select(head.c.recorded_at_ms).where(head.c.stream == self.code)).first()
        recorded = max(self.conn.execute(latest).scalar_one(), row.recorded_at_ms if row else 0)
        if row is None:
            self.conn.execute(insert(head).values(stream=self.code, recorded_at_ms=recorded, **place))
        else:
            self.conn.execute(update(head).where(head.c.stream == self.code).values(recorded_at_ms=recorded, **place))
        open_epoch(self.conn, self.code, self.now, reason="recovered")
        renew_instance(self.conn)
