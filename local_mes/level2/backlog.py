"""How far the plant has come with what Level 2 said."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select

from local_mes.level2.interpret import get_position
from local_mes.level2.spool import get_key
from local_mes.level2.spool_tables import message
from local_mes.level2.tables import repair, spool_waiting
from local_mes.plant import Plant
from shared.db.engine import read


@dataclass(frozen=True)
class Backlog:
    """Messages not interpreted yet, waiting for what they build on, waiting for a person."""

    uninterpreted: int
    waiting: int
    repairs: int


def get_backlog(plant: Plant) -> Backlog:
    """The backlog now."""
    with read(plant.node.engine) as conn:
        waiting = conn.execute(select(func.count()).select_from(spool_waiting)).scalar_one()
        repairs = conn.execute(select(func.count()).where(repair.c.state == "open")).scalar_one()
        position = get_position(conn, get_key(plant.spool))
    with read(plant.spool) as conn:
        unread = conn.execute(select(func.count()).where(message.c.spool_id > position)).scalar_one()
    return Backlog(unread, waiting, repairs)
