"""Which products are prime: what no hold stands against, open or ended with a word against it, and what is no scrap."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Column, ColumnElement, Connection, exists, or_, select

from shared.db.bulk import among
from shared.material.tables import material
from shared.quality.tables import hold

IDS_A_QUERY = 5_000
NOT_PRIME = ("downgrade", "rework", "scrap", "return")
"""Dispositions after which a product is no prime any more."""


def spoken_against(author: Column[str], material_id: Column[str]) -> ColumnElement[bool]:
    """Whether a hold in that author's books speaks against the piece."""
    against = or_(hold.c.released_at_ms.is_(None), hold.c.disposition.in_(NOT_PRIME))
    return exists().where(hold.c.author == author, hold.c.material_id == material_id, against)


def prime_pieces(conn: Connection, ids: Iterable[str]) -> set[tuple[str, str]]:
    """Of these pieces those that are prime, each as (author, material id) in whose books it is."""
    m, wanted, found = material.c, sorted(set(ids)), set[tuple[str, str]]()
    query = select(m.author, m.material_id).where(m.state != "scrapped", ~spoken_against(m.author, m.material_id))
    for at in range(0, len(wanted), IDS_A_QUERY):
        part = among(conn, m.material_id, wanted[at : at + IDS_A_QUERY])
        found |= {(author, piece) for author, piece in conn.execute(query.where(part))}
    return found
