"""Orders to Level 2 at the edge's end of the line: queued once, taken back when the plant says so, settled for good."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, select, update
from sqlalchemy.dialects.sqlite import insert

from local_mes.level2.down import (
    CONFIRMED,
    NEVER_SENT,
    QUEUED,
    REFUSED,
    SENT,
    SETPOINT,
    SETPOINT_VALID_MS,
    WITHHELD,
    withdraw,
)
from local_mes.level2.edge.facts import Level2OrderGiven, Level2OrderWithdrawn
from local_mes.level2.edge.recording import plant_ahead_ms, settled_id
from local_mes.level2.link_state import real_ms
from local_mes.level2.spool_tables import down
from local_mes.plant import Plant
from shared.db.engine import read, write
from shared.journal.fact import AppliedFact
from shared.journal.tables import fact

CHUNK = 200
NO_TIME = "a set-point that does not say until when it holds: nothing was sent"


def take_orders(edge: Plant, conn: Connection, facts: Sequence[AppliedFact[Any]]) -> None:
    """Queue what was given, once, and take back what the plant no longer wants, in their order."""
    words = [one.payload for one in facts]
    states = settled_states(edge, [one.key for one in words if isinstance(one, Level2OrderGiven)])
    for one in words:
        if isinstance(one, Level2OrderGiven):
            row = _row(edge, one, states.get(one.key, ""))
            conn.execute(insert(down).values(row).on_conflict_do_nothing(index_elements=["key"]))
        elif isinstance(one, Level2OrderWithdrawn):
            down_id = conn.execute(select(down.c.down_id).where(down.c.key == one.key)).scalar()
            if down_id is not None:
                withdraw(conn, down_id, edge.clock.now_ms(), one.why)


def _row(edge: Plant, one: Level2OrderGiven, settled: str) -> dict[str, Any]:
    """A new row; one that an edge's older spool has forgotten was settled is not sent again, nor one that comes too late."""
    row = {name: getattr(one, name) for name in ("key", "link", "kind", "message", "fields", "queued_ms")}
    row |= {"state": QUEUED, "tries": 0, "answer": ""}
    if settled:
        return row | {"state": settled, "answer": "settled before the spool was put back"}
    if one.kind == SETPOINT and one.until_real_ms is None:
        return row | {"state": REFUSED, "answered_ms": edge.clock.now_ms(), "answer": NO_TIME}
    if one.until_real_ms is not None:
        left_ms = min(one.until_real_ms - real_ms() - plant_ahead_ms(edge), SETPOINT_VALID_MS)
        if left_ms <= 0:
            return row | {"state": REFUSED, "answered_ms": edge.clock.now_ms(), "answer": NEVER_SENT}
        row["valid_until_real_ms"] = real_ms() + left_ms
    return row


def mend_orders(edge: Plant) -> int:
    """At the start: orders that an older spool shows as open and the journal as settled are settled; how many."""
    with read(edge.spool) as conn:
        keys = conn.execute(select(down.c.key).where(down.c.state.in_((QUEUED, SENT)))).scalars().all()
    states = settled_states(edge, keys)
    with write(edge.spool) as conn:
        for key, state in states.items():
            conn.execute(update(down).where(down.c.key == key).values(state=state))
    return len(states)


def settled_states(edge: Plant, keys: Sequence[str]) -> dict[str, str]:
    """The last state of those orders that this edge has told to be settled; confirmed is the last word on any."""
    ids = {settled_id(edge.code, key, state): (key, state) for key in keys for state in (REFUSED, WITHHELD, CONFIRMED)}
    told: set[str] = set()
    names = list(ids)
    with read(edge.node.engine) as conn:
        for at in range(0, len(names), CHUNK):
            known = select(fact.c.fact_id).where(fact.c.fact_id.in_(names[at : at + CHUNK]))
            told |= set(conn.execute(known).scalars())
    return dict(found for fact_id, found in ids.items() if fact_id in told)
