"""Facts that have no effect here for ever, because two people said so.

It is a fact of the node that discards: who gave up what and why stands in the chained journal, goes up to the hub from
a plant, and outlives a rebuild. It counts at that node alone; the discarded bytes stay in their author's stream.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import Column, Connection, select

from shared.db.types import Code, Id, Int, Words, local_table, projection_table
from shared.db.upsert import upsert
from shared.journal.apply import Appliers
from shared.journal.fact import AppliedFact, Payload, fact
from shared.journal.tables import head


@fact("FactDiscarded")
class FactDiscarded(Payload, frozen=True, kw_only=True):
    """A fact that was set aside is given up here: `of` is its author, stream/epoch/seq its place, fault why it was set
    aside, reason why it is given up. proposed_by and the fact's actor are two people."""

    of: str
    fact_id: str
    stream: str
    epoch: str
    seq: int
    type: str
    fault: str
    reason: str
    proposed_by: str


discarded = projection_table(
    "discarded",
    Column("of", Code, primary_key=True),
    Column("fact_id", Id, primary_key=True),
    Column("type", Code, nullable=False),
    Column("reason", Words, nullable=False),
    Column("proposed_by", Code, nullable=False),
    Column("confirmed_by", Code, nullable=False),
    Column("discarded_at_ms", Int, nullable=False),
)

discard_proposal = local_table(
    # what one person proposed and nobody has confirmed yet
    "discard_proposal",
    Column("author", Code, primary_key=True),
    Column("fact_id", Id, primary_key=True),
    Column("reason", Words, nullable=False),
    Column("proposed_by", Code, nullable=False),
    Column("proposed_at_ms", Int, nullable=False),
)


def apply_fact_discarded(conn: Connection, facts: Sequence[AppliedFact[FactDiscarded]]) -> None:
    """Remember what is given up; the first word stands."""
    rows = [
        {
            "author": f.author,
            "of": f.payload.of,
            "fact_id": f.payload.fact_id,
            "type": f.payload.type,
            "reason": f.payload.reason,
            "proposed_by": f.payload.proposed_by,
            "confirmed_by": f.actor,
            "discarded_at_ms": f.recorded_at_ms,
        }
        for f in facts
    ]
    upsert(conn, discarded, rows)


def find_discarded(conn: Connection, authors: Iterable[str]) -> set[tuple[str, str]]:
    """(author, fact id) of what this node itself gave up of these authors; what another node gave up counts there."""
    mine = select(head.c.stream)
    query = select(discarded.c.of, discarded.c.fact_id).where(
        discarded.c.author.in_(mine), discarded.c.of.in_(sorted(authors))
    )
    return {(row.of, row.fact_id) for row in conn.execute(query)}


def register(appliers: Appliers) -> None:
    """What this module's fact does to rows."""
    appliers.add(FactDiscarded, apply_fact_discarded)
