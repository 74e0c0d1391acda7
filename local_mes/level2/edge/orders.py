"""Orders to Level 2 on their way down: given by the plant, queued at the edge, told back when they are settled."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Engine, select, update
from sqlalchemy.dialects.sqlite import insert

from local_mes.level2.down import CONFIRMED, QUEUED, REFUSED, SENT, WITHHELD
from local_mes.level2.edge.facts import Level2OrderGiven, Level2OrderSettled
from local_mes.level2.edge.recording import settled_id
from local_mes.level2.spool_tables import down
from local_mes.plant import Plant
from shared.db.engine import read, write
from shared.ids import derived_id
from shared.journal.fact import AppliedFact, Draft, Occurred
from shared.journal.journal import Journal
from shared.journal.tables import fact

CHUNK = 200
_RANK = {QUEUED: 0, SENT: 1, CONFIRMED: 2, REFUSED: 2, WITHHELD: 2}


def give_orders(journal: Journal, spool: Engine, stream: str, after: int) -> int:
    """Record what the plant queued behind a place, and put it into the stream to the edge; returns the new place."""
    query = select(down).where(down.c.down_id > after, down.c.state == QUEUED).order_by(down.c.down_id).limit(CHUNK)
    with read(spool) as conn:
        rows = conn.execute(query).all()
    if not rows:
        return after
    with journal.work() as tx:
        for row in rows:
            names = ("key", "link", "kind", "message", "fields", "queued_ms")
            payload = Level2OrderGiven(**{name: getattr(row, name) for name in names})
            given = derived_id(row.queued_ms, journal.code, "order", row.key)
            tx.record(Draft(payload, (f"link:{row.link}"[:64],), "plant", Occurred(row.queued_ms, "plant"), given))
            tx.relay(given, stream)
    return int(rows[-1].down_id)


def take_orders(edge: Plant, conn: Connection, facts: Sequence[AppliedFact[Any]]) -> None:
    """Queue what was given, once; one that an edge's older spool has forgotten was settled is not sent again."""
    given = [one.payload for one in facts if isinstance(one.payload, Level2OrderGiven)]
    states = settled_states(edge, [one.key for one in given])
    for one in given:
        row = {
            "key": one.key,
            "link": one.link,
            "kind": one.kind,
            "message": one.message,
            "fields": one.fields,
            "queued_ms": one.queued_ms,
            "state": states.get(one.key, QUEUED),
            "tries": 0,
            "answer": "settled before the spool was put back" if one.key in states else "",
        }
        conn.execute(insert(down).values(row).on_conflict_do_nothing(index_elements=["key"]))


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
    """The last state of those orders that this edge has told to be settled."""
    ids = {settled_id(edge.code, key, state): (key, state) for key in keys for state in (CONFIRMED, REFUSED, WITHHELD)}
    found: dict[str, str] = {}
    names = list(ids)
    with read(edge.node.engine) as conn:
        for at in range(0, len(names), CHUNK):
            known = select(fact.c.fact_id).where(fact.c.fact_id.in_(names[at : at + CHUNK]))
            found |= dict(ids[one] for one in conn.execute(known).scalars())
    return found


def take_settled(conn: Connection, one: Level2OrderSettled) -> None:
    """What has become of an order, at the plant. A state never goes back: facts may come again after a recovery."""
    state = conn.execute(select(down.c.state).where(down.c.key == one.key)).scalar()
    if state is not None and _RANK[one.state] > _RANK[state]:
        names = ("state", "sequence", "tries", "sent_ms", "answered_ms", "answer")
        conn.execute(update(down).where(down.c.key == one.key).values({name: getattr(one, name) for name in names}))
