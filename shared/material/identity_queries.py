"""Named reads of uncertain identities."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, and_, select

from shared.material.tables import edge, identity_candidate, identity_set, material, operation


def list_sets(
    conn: Connection, *, author: str = "", state: str = "", after: str = "", limit: int = 50
) -> Sequence[Row[Any]]:
    """Sets, the youngest first."""
    c = identity_set.c
    query = select(identity_set).order_by(c.set_id.desc()).limit(limit)
    for column, wanted in ((c.author, author), (c.state, state)):
        query = query.where(column == wanted) if wanted else query
    return conn.execute(query.where(c.set_id < after) if after else query).all()


def find_set(conn: Connection, author: str, set_id: str) -> Row[Any] | None:
    """One set, or None."""
    c = identity_set.c
    return conn.execute(select(identity_set).where(c.author == author, c.set_id == set_id)).first()


def numbers_of_set(row: Row[Any]) -> list[str]:
    """The numbers of a set."""
    return msgspec.json.decode(row.numbers, type=list[str])


def candidates_of(conn: Connection, author: str, set_id: str) -> Sequence[Row[Any]]:
    """Candidates as their author's rows have them now, with `truly` where it is known."""
    c, m = identity_candidate.c, material.c
    same = and_(m.author == c.author, m.material_id == c.material_id)
    query = select(material, c.truly).join_from(identity_candidate, material, same)
    return conn.execute(query.where(c.author == author, c.set_id == set_id).order_by(m.number, m.material_id)).all()


def open_set_of(conn: Connection, author: str, material_id: str) -> Row[Any] | None:
    """The open set a piece is in, or None."""
    c, s = identity_candidate.c, identity_set.c
    same = and_(s.author == c.author, s.set_id == c.set_id)
    query = select(identity_set).join(identity_candidate, same)
    return conn.execute(query.where(c.author == author, c.material_id == material_id, s.state == "open")).first()


def made_since(conn: Connection, author: str, material_id: str, since_ms: int) -> list[str]:
    """What this author made of a piece by operations that ended since then, and of that, and so on."""
    found: dict[str, None] = {}
    front = [material_id]
    while front:
        e, o = edge.c, operation.c
        same = and_(o.author == e.author, o.operation_id == e.operation_id)
        query = select(e.child_id).distinct().join_from(edge, operation, same)
        rows = conn.execute(query.where(e.author == author, e.parent_id.in_(front), o.ended_at_ms >= since_ms))
        front = sorted(set(rows.scalars()) - found.keys())
        found |= dict.fromkeys(front)
    return list(found)
