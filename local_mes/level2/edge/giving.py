"""Orders to Level 2 at the plant's end of the line: given to the edge, taken back from it, their fate told by it.

By which key an order goes between the two: naming.py.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, Engine, and_, case, delete, or_, select, update

from local_mes.level2.down import CONFIRMED, QUEUED, REFUSED, SENT, SETPOINT, WITHHELD
from local_mes.level2.edge.facts import Level2OrderGiven, Level2OrderSettled, Level2OrderWithdrawn
from local_mes.level2.edge.naming import name_orders, read_told
from local_mes.level2.edge.tables import given
from local_mes.level2.link_state import real_ms
from local_mes.level2.spool_tables import down
from shared.db.engine import read, write
from shared.db.upsert import upsert
from shared.ids import derived_id
from shared.journal.fact import Draft, Occurred, Payload
from shared.journal.journal import Journal, Work
from sync.understanding import has_told, reads_fact

CHUNK = 200
WORD_MS = 10_000
"""Real time behind a set-point's own in which the edge may still say what became of it."""
NOT_TAKEN = "the edge did not say in time that it took it: look at the unit"
NO_WORD = "sent on site, and no answer was told in time: look at the unit"
OLDER_EDGE = "nothing was sent: the edge has not called yet, or its release knows no set-points"
_RANK = {QUEUED: 0, SENT: 1, REFUSED: 2, WITHHELD: 2, CONFIRMED: 3}


def give_orders(journal: Journal, spool: Engine, edge: str, after: int) -> int:
    """Record what the plant queued behind a place, and put it into the stream to the edge; returns the new place.

    A set-point goes to no edge that would keep it for later. What is given already is known from then on; when a spool
    was put back, so is what the edge has told of it since.
    """
    query = select(down).where(down.c.down_id > after, down.c.state.in_((QUEUED, SENT))).order_by(down.c.down_id)
    with read(spool) as conn:
        rows = conn.execute(query.limit(CHUNK)).all()
    if not rows:
        return after
    named = name_orders(journal, spool, rows)
    with journal.work() as tx:
        knows = _knows(tx.conn, edge)
        going = [one for one in named if knows or one.row.kind != SETPOINT]
        names = [{"key": one.key, "down_id": one.row.down_id, "open": 1} for one in going]
        with write(spool) as conn:
            # first: whenever this process ends, an order that was given is known as such to who takes it back
            upsert(conn, given, names, update=["down_id", "open"])
        for one in going:
            if not one.is_older:
                _give(tx, edge, one.key, one.row)
        told = read_told(tx.conn, edge, [one.key for one in going])
    with write(spool) as conn:
        for settled in told:
            take_settled(conn, settled)
    return int(rows[-1].down_id)


def take_back(journal: Journal, spool: Engine, edge: str) -> int:
    """Tell the edge what the plant has ended by itself; returns how many orders that were.

    An edge whose release does not read it is told after its upgrade.
    """
    ended = select(given.c.key, down.c.link, down.c.answer, down.c.answered_ms)
    ended = ended.join_from(given, down, down.c.down_id == given.c.down_id)
    with read(spool) as conn:
        rows = conn.execute(ended.where(given.c.open == 1, down.c.state.in_((REFUSED, WITHHELD))).limit(CHUNK)).all()
    if not rows:
        return 0
    with read(journal.engine) as conn:
        if not _knows(conn, edge):
            return 0
    with journal.work() as tx:
        for row in rows:
            fact_id = derived_id(row.answered_ms, journal.code, "order withdrawn", row.key)
            order = Level2OrderWithdrawn(key=row.key, why=row.answer)
            _tell(tx, edge, order, row.link, row.answered_ms, fact_id)
    with write(spool) as conn:
        conn.execute(update(given).where(given.c.key.in_([row.key for row in rows])).values(open=0))
    return len(rows)


def settle_late(journal: Journal, spool: Engine, edge: str, now_ms: int) -> None:
    """Set-points that nobody may wait for any longer: their time is over and the edge is silent, or it knows none."""
    c = down.c
    open_ones = (c.state.in_((QUEUED, SENT)), c.kind == SETPOINT)
    with read(spool) as conn:
        if conn.execute(select(c.down_id).where(*open_ones).limit(1)).first() is None:
            return
    with read(journal.engine) as conn:
        knows = _knows(conn, edge)
    late, never_given = c.valid_until_real_ms < real_ms() - WORD_MS, c.down_id.not_in(select(given.c.down_id))
    over = late if knows else or_(late, never_given)
    answer = case((c.state == SENT, NO_WORD), (never_given, OLDER_EDGE), else_=NOT_TAKEN)
    with write(spool) as conn:
        conn.execute(update(down).where(*open_ones, over).values(state=REFUSED, answered_ms=now_ms, answer=answer))


def take_settled(conn: Connection, one: Level2OrderSettled) -> None:
    """What has become of an order. A state never goes back: facts may come again after a recovery.

    What was taken back here and confirmed there all the same is confirmed.
    """
    known = conn.execute(select(given.c.down_id).where(given.c.key == one.key)).scalar()
    # an order that ended before it was known by whom: it went by its cause
    by_cause = and_(down.c.key == one.key, down.c.down_id.not_in(select(given.c.down_id)))
    this = by_cause if known is None else down.c.down_id == known
    state = conn.execute(select(down.c.state).where(this)).scalar()
    if state is None or _RANK[one.state] <= _RANK[state]:
        return
    names = ("state", "sequence", "tries", "sent_ms", "answered_ms", "answer")
    values: dict[str, Any] = {name: getattr(one, name) for name in names}
    conn.execute(update(down).where(this).values(settled_by=None, **values))
    if one.state not in (QUEUED, SENT):
        conn.execute(update(given).where(given.c.key == one.key).values(open=0))


def find_setpoints(spool: Engine, keys: Iterable[str]) -> list[int]:
    """Which of the orders that go by these keys are set-points: their rows."""
    query = select(down.c.down_id).join_from(given, down, down.c.down_id == given.c.down_id)
    with read(spool) as conn:
        return list(conn.execute(query.where(given.c.key.in_(keys), down.c.kind == SETPOINT)).scalars())


def forget_given(spool: Engine) -> None:
    """Orders that the spool has given up."""
    with write(spool) as conn:
        conn.execute(delete(given).where(given.c.down_id.not_in(select(down.c.down_id))))


def _knows(conn: Connection, edge: str) -> bool:
    """Whether the edge is known to be of a release that takes orders back, and with them set-points."""
    return has_told(conn, edge) and reads_fact(conn, edge, "Level2OrderWithdrawn")


def _give(tx: Work, edge: str, key: str, row: Any) -> None:
    as_it_is = {name: getattr(row, name) for name in ("link", "kind", "message", "fields", "queued_ms")}
    order = Level2OrderGiven(key=key, until_real_ms=row.valid_until_real_ms, **as_it_is)
    _tell(tx, edge, order, row.link, row.queued_ms, key)


def _tell(tx: Work, edge: str, order: Payload, link: str, at_ms: int, fact_id: str) -> None:
    tx.record(Draft(order, (f"link:{link}"[:64],), "plant", Occurred(at_ms, "plant"), fact_id))
    tx.relay(fact_id, f"{tx.journal.code}>{edge}")
