"""Up to when the hub's figures are complete, a plant at a time: shown under every title and in every JSON answer."""

from __future__ import annotations

from sqlalchemy import select

from central_hub.hub import Hub
from central_hub.plants.tables import plant
from shared.db.engine import read
from shared.web.features import Mark
from sync.through import applied_through


def read_marks(hub: Hub) -> tuple[Mark, ...]:
    """All enrolled plants, by code."""
    with read(hub.node.engine) as conn:
        through = applied_through(conn)
        rows = conn.execute(select(plant.c.code, plant.c.name).order_by(plant.c.code)).all()
    return tuple(Mark(row.code, row.name or row.code, through.get(row.code) or None) for row in rows)
