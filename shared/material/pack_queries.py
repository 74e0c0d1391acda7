"""Named reads of packs."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, Select, and_, select

from shared.material.tables import material, pack_member


def find_pack(conn: Connection, author: str, material_id: str) -> Row[Any] | None:
    """The pack a piece is in now at this author's (pack_id, number, place), or None."""
    p, m = pack_member.c, material.c
    named = and_(m.author == p.author, m.material_id == p.pack_id)
    query: Select[Any] = select(p.pack_id, m.number, m.place).join_from(pack_member, material, named)
    inside = and_(p.author == author, p.material_id == material_id, p.opened_at_ms.is_(None), m.state == "live")
    return conn.execute(query.where(inside)).first()


def members_of(conn: Connection, author: str, pack_id: str) -> tuple[str, ...]:
    """The pieces of a pack, as they were listed."""
    p = pack_member.c
    query = select(p.material_id).where(p.author == author, p.pack_id == pack_id).order_by(p.ordinal)
    return tuple(conn.execute(query).scalars())
