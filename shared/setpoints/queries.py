"""Named reads of set-points on record."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, or_, select

from shared.setpoints.tables import set_point


def list_set_points(
    conn: Connection, author: str = "", state: str = "", q: str = "", after: str = "", limit: int = 50
) -> Sequence[Row[Any]]:
    """Set-points, the youngest first, at most limit + 1; q: the number of a piece, a unit or a message, whole."""
    c = set_point.c
    query = select(set_point).order_by(c.setpoint_id.desc()).limit(limit + 1)
    query = query.where(c.author == author) if author else query
    query = query.where(c.state == state) if state else query
    query = query.where(or_(c.number == q, c.unit == q, c.message == q)) if q else query
    return conn.execute(query.where(c.setpoint_id < after) if after else query).all()


def set_points_of(conn: Connection, material_id: str, limit: int) -> Sequence[Row[Any]]:
    """Those for one piece, at every plant that had it, the youngest first."""
    c = set_point.c
    query = select(set_point).where(c.material_id == material_id).order_by(c.setpoint_id.desc())
    return conn.execute(query.limit(limit)).all()
