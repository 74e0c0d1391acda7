"""Primary data (PDI) that was asked for and has not been answered, of a piece that is held since: it is taken back.

Without this an order that waits for a link to come back would go down for a piece that nobody may process. Its key is
set free: when the piece is free again and due, its primary data goes down like that of any other.
"""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import String, cast, select, update

from local_mes.level2.down import QUEUED, REFUSED, SENT
from local_mes.level2.spool_tables import down
from local_mes.plant import Plant
from shared.db.engine import read, write
from shared.material.queries import find_by_number
from shared.quality.queries import open_holds

KEY = "pdi:"
"""How the keys of primary data begin."""
PIECE_FIELDS = ("coil_in", "slab")
"""Fields that name the piece it is for."""


def withdraw_primary_data(plant: Plant) -> int:
    """Take back what is not answered and is for a held piece; returns how many those were."""
    c = down.c
    query = select(c.down_id, c.fields).where(c.key.startswith(KEY), c.state.in_((QUEUED, SENT)))
    with read(plant.spool) as conn:
        rows = conn.execute(query).all()
    count = 0
    for row in rows:
        why = _why_held(plant, msgspec.json.decode(row.fields))
        if why:
            values: dict[str, Any] = {"state": REFUSED, "answered_ms": plant.clock.now_ms()}
            values |= {"answer": f"withdrawn: the piece is held ({why})", "key": c.key + ":" + cast(c.down_id, String)}
            with write(plant.spool) as conn:
                still_open = update(down).where(c.down_id == row.down_id, c.state.in_((QUEUED, SENT)))
                count += conn.execute(still_open.values(**values)).rowcount
    return count


def _why_held(plant: Plant, fields: dict[str, Any]) -> str:
    number = next((str(fields[name]) for name in PIECE_FIELDS if fields.get(name)), "")
    with read(plant.node.engine) as conn:
        pieces = find_by_number(conn, number, plant.code) if number else []
        holds = [hold for piece in pieces if piece.state == "live" for hold in open_holds(conn, piece.material_id)]
    return str(holds[0].reason) if holds else ""
