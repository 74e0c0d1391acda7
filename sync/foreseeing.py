"""What a recovery will do, decided from this node's epochs, the peer's and the batches that are staged.

Asked twice: before, to make the rows beside the work (beside.py), and under the lock of the head, where it counts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select

from shared.journal.archived import bodies_of
from shared.journal.tables import entry
from sync.messages import EpochState
from sync.outgoing import states
from sync.recovery import Plan, fold, plan
from sync.staging import pieces
from sync.storing import named_ids

IDS_A_QUERY = 500


@dataclass(frozen=True)
class Foreseen:
    """The plan, and of the facts that come back those that we have too: known with the same bytes, or contradicted."""

    own: tuple[EpochState, ...]
    plan: Plan
    fates: Mapping[str, str]

    def asides(self) -> Iterator[tuple[str, int]]:
        """(epoch, place) after which our entries go aside, in the order of going."""
        yield from ((step.epoch, step.keep) for step in self.plan.steps)
        yield from ((epoch, 0) for epoch in self.plan.folded)

    def comes_last(self) -> bool:
        """Whether what comes in follows, in order, all that stays: then the rows need no rebuild."""
        heads = {state.epoch: state.seq for state in self.own}
        if not self.plan.steps:
            return True
        if self.plan.folded or any(heads.get(step.epoch, 0) > step.keep for step in self.plan.steps):
            return False
        after = self.plan.order[self.plan.order.index(self.plan.steps[0].epoch) + 1 :]
        return not any(heads.get(epoch) for epoch in after)

    @property
    def entries(self) -> int:
        """How many entries are to be applied: those that come, or all when the rows are made again."""
        coming = sum(step.take - step.keep for step in self.plan.steps)
        return coming if self.comes_last() else coming + sum(state.seq for state in self.own)


def foresee(conn: Connection, code: str, holds: Sequence[EpochState], meets: Mapping[str, int]) -> Foreseen:
    """Decide; everything that the plan takes must be staged."""
    own = states(conn, code)
    found = plan(own, holds, meets)
    seen = Foreseen(own, found, _fates(conn, found))
    if not _written_since(conn, code, seen, {state.epoch for state in holds}):
        return seen
    return Foreseen(own, fold(found, own, holds), seen.fates)


def _fates(conn: Connection, found: Plan) -> dict[str, str]:
    fates: dict[str, str] = {}
    for step in found.steps:
        for piece in pieces(conn, step):
            ids = named_ids(piece.batch.seal, piece.entries)
            held = bodies_of(conn, [fact_id for fact_id, _ in ids])
            fates |= {i: "known" if held[i] == body else "contradicted" for i, body in ids if i in held}
    return fates


def _written_since(conn: Connection, code: str, seen: Foreseen, held: set[str]) -> bool:
    """Whether a fact that gives way also stands in an epoch of ours that goes on and that the peer never saw."""
    keep = dict(seen.asides())
    unseen = {state.epoch for state in seen.own} - held - keep.keys()
    ids = [i for i, fate in seen.fates.items() if fate == "contradicted"]
    for at in range(0, len(ids), IDS_A_QUERY):
        query = select(entry.c.epoch).where(entry.c.stream == code, entry.c.fact_id.in_(ids[at : at + IDS_A_QUERY]))
        if any(row.epoch in unseen for row in conn.execute(query)):
            return True
    return False
