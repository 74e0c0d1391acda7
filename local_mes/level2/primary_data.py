"""Primary data (PDI) and set-points that were asked for and not answered, of a piece that is held since: taken back.

Without this an order that waits for a link to come back would go down for a piece that nobody may process. Its key is
set free: when the piece is free again and due, its primary data goes down like that of any other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from sqlalchemy import String, cast, select, update

from local_mes.level2.down import QUEUED, REFUSED, SENT, withdraw
from local_mes.level2.spool_tables import down
from local_mes.plant import Plant
from shared.db.engine import read, write
from shared.material.queries import find_by_number
from shared.quality.queries import open_holds

KEY, SETPOINT_KEY = "pdi:", "set:"
"""How the keys of primary data and of set-points begin."""
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
        fields = msgspec.json.decode(row.fields)
        why = why_held(plant, [str(fields[name]) for name in PIECE_FIELDS if fields.get(name)][:1])
        if why:
            values: dict[str, Any] = {"state": REFUSED, "answered_ms": plant.clock.now_ms()}
            values |= {"answer": f"withdrawn: the piece is held ({why})", "key": c.key + ":" + cast(c.down_id, String)}
            with write(plant.spool) as conn:
                still_open = update(down).where(c.down_id == row.down_id, c.state.in_((QUEUED, SENT)))
                count += conn.execute(still_open.values(**values)).rowcount
    return count


def withdraw_setpoints(plant: Plant) -> int:
    """The same of set-points, which may name their piece in any field; returns how many those were."""
    c = down.c
    query = select(c.down_id, c.fields, c.piece).where(c.key.startswith(SETPOINT_KEY), c.state.in_((QUEUED, SENT)))
    with read(plant.spool) as conn:
        rows = conn.execute(query).all()
    count = 0
    for row in rows:
        why = why_held(plant, named_in(msgspec.json.decode(row.fields), row.piece or ""))
        if why:
            with write(plant.spool) as conn:
                count += withdraw(conn, row.down_id, plant.clock.now_ms(), f"withdrawn: the piece is held ({why})")
    return count


def named_in(fields: Mapping[str, Any], piece: str) -> list[str]:
    """Whatever may be a piece's number: the one it is said to be for, every text that is sent, the fields that name it."""
    told = [str(value) for name, value in fields.items() if isinstance(value, str) or (name in PIECE_FIELDS and value)]
    return [text for text in (piece, *told) if text]


def why_held(plant: Plant, numbers: Iterable[str]) -> str:
    """Why one of these pieces is held; empty when none is."""
    with read(plant.node.engine) as conn:
        pieces = [piece for number in numbers for piece in find_by_number(conn, number, plant.code)]
        holds = [hold for piece in pieces if piece.state == "live" for hold in open_holds(conn, piece.material_id)]
    return str(holds[0].reason) if holds else ""
