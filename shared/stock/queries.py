"""Named reads of yard and stores, the same at a plant and at the hub."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, func, select

from shared.db.bulk import among
from shared.material.tables import material, place_history

IDS_A_QUERY = 5_000


def live_at(conn: Connection, author: str, code: str) -> Sequence[Row[Any]]:
    """Pieces that are here and lie somewhere in a storage or area: at it, or at a place that begins with its code."""
    c = material.c
    begins = (c.place == code) | c.place.like(f"{code}-%") | c.place.like(f"{code} %")
    return conn.execute(select(material).where(c.author == author, c.state == "live", c.kind != "heat", begins)).all()


def since_of(conn: Connection, author: str, ids: Sequence[str]) -> dict[tuple[str, str], int]:
    """(piece, place) -> when it last came there, UTC ms."""
    c, found = place_history.c, dict[tuple[str, str], int]()
    for at in range(0, len(ids), IDS_A_QUERY):
        part = among(conn, c.material_id, list(ids[at : at + IDS_A_QUERY]))
        query = select(c.material_id, c.place, func.max(c.at_ms).label("at_ms")).where(c.author == author, part)
        found |= {(r.material_id, r.place): r.at_ms for r in conn.execute(query.group_by(c.material_id, c.place))}
    return found


def moves_between(conn: Connection, author: str, from_ms: int, to_ms: int) -> Sequence[Row[Any]]:
    """Places that pieces came to in a time, and the one each of them came from (None: no earlier one), oldest first."""
    now, was = place_history.alias("now"), place_history.alias("was")
    same = and_(was.c.author == now.c.author, was.c.material_id == now.c.material_id, was.c.at_ms < now.c.at_ms)
    before = (
        select(was.c.place)
        .where(same)
        .order_by(was.c.at_ms.desc(), was.c.fact_id.desc())
        .limit(1)
        .correlate(now)
        .scalar_subquery()
    )
    query: Select[Any] = select(now.c.material_id, now.c.place, now.c.at_ms, before.label("from_place"))
    in_time = (now.c.author == author, now.c.at_ms >= from_ms, now.c.at_ms < to_ms)
    return conn.execute(query.where(*in_time).order_by(now.c.at_ms)).all()
