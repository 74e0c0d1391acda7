"""Named reads of packs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, Select, and_, or_, select

from shared.material.pack_facts import MEMBERS, PACK_KIND, packing_list
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


@dataclass(frozen=True, slots=True)
class PackEvent:
    """A pack was made, or taken apart (opened), by an author at a time (UTC ms), with these pieces."""

    author: str
    pack_id: str
    at_ms: int
    members: tuple[str, ...]
    opened: bool


def pack_events_of(conn: Connection, ids: Iterable[str]) -> list[PackEvent]:
    """What became of the packs among these pieces, and of the packs that one of them was in, over all authors."""
    wanted, p, m = sorted(set(ids)), pack_member.c, material.c
    inside = select(p.pack_id).where(or_(p.pack_id.in_(wanted), p.material_id.in_(wanted)))
    packs = conn.execute(
        select(material).where(or_(m.material_id.in_(inside), and_(m.material_id.in_(wanted), m.kind == PACK_KIND)))
    ).all()
    found = []
    for row in packs:
        listed = msgspec.json.decode(row.attributes, type=dict[str, str]).get(MEMBERS, "")
        members = tuple(line.material_id for line in packing_list(listed))
        if members and row.origin == "packed":
            found.append(PackEvent(row.author, row.material_id, row.born_at_ms, members, opened=False))
        if members and row.state == "opened" and row.ended_at_ms is not None:
            found.append(PackEvent(row.author, row.material_id, row.ended_at_ms, members, opened=True))
    return found
