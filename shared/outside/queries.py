"""Named reads about outside parties, the same at a plant and at the hub."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, select

from shared.outside.tables import delivery, delivery_line, order_terms, party, party_word


@dataclass(frozen=True)
class Terms:
    """What an order item demands of a piece before it leaves; without an agreement nothing but an order."""

    mass_basis: str = ""
    certificate: str = ""
    rules: tuple[str, ...] = ()
    packed: bool = False
    tolerance_ppm: int = 50_000


def find_party(conn: Connection, author: str, code: str) -> Row[Any] | None:
    """A party that this plant answers for, ended ones included."""
    return conn.execute(select(party).where(party.c.author == author, party.c.code == code)).first()


def list_parties(conn: Connection, author: str = "", *, ended: bool = True) -> Sequence[Row[Any]]:
    """Parties by code, of one plant or of all."""
    query = select(party).order_by(party.c.code, party.c.author)
    if author:
        query = query.where(party.c.author == author)
    if not ended:
        query = query.where(party.c.ended.is_(False))
    return conn.execute(query).all()


def get_terms(conn: Connection, author: str, item: str) -> Terms:
    """What this plant agreed for an order item, or the terms of an item for which nothing was agreed."""
    row = conn.execute(select(order_terms).where(order_terms.c.author == author, order_terms.c.item == item)).first()
    if row is None:
        return Terms()
    rules = tuple(msgspec.json.decode(row.rules, type=list[str]))
    return Terms(row.mass_basis, row.certificate, rules, row.packed, row.tolerance_ppm)


def find_deliveries(
    conn: Connection, author: str = "", *, q: str = "", party_code: str = "", after: str = "", limit: int = 50
) -> Sequence[Row[Any]]:
    """Delivery notes, the youngest first."""
    c = delivery.c
    query = select(delivery).order_by(c.shipment_id.desc()).limit(limit)
    if author:
        query = query.where(c.author == author)
    if party_code:
        query = query.where(c.party == party_code)
    if q:
        query = query.where(
            c.note_number.icontains(q, autoescape=True) | c.shipment_number.icontains(q, autoescape=True)
        )
    return conn.execute(query.where(c.shipment_id < after) if after else query).all()


def find_delivery(conn: Connection, author: str, wanted: str) -> Row[Any] | None:
    """A delivery by the number of its note or of its load, or by the load's id."""
    c = delivery.c
    query = select(delivery).where(
        c.author == author, (c.note_number == wanted) | (c.shipment_id == wanted) | (c.shipment_number == wanted)
    )
    return conn.execute(query.order_by(c.shipment_id.desc())).first()


def lines_of(conn: Connection, author: str, shipments: Sequence[str]) -> dict[str, list[Row[Any]]]:
    """Pieces of delivery notes, by load."""
    found: dict[str, list[Row[Any]]] = {shipment: [] for shipment in shipments}
    c = delivery_line.c
    query = select(delivery_line).where(c.author == author, c.shipment_id.in_(list(shipments))).order_by(c.number)
    for row in conn.execute(query):
        found[row.shipment_id].append(row)
    return found


def find_words(
    conn: Connection,
    author: str = "",
    *,
    kind: str = "",
    party_code: str = "",
    shipment_id: str = "",
    material_id: str = "",
    limit: int = 1_000,
) -> Sequence[Row[Any]]:
    """What parties said, oldest first."""
    c = party_word.c
    query = select(party_word).order_by(c.recorded_at_ms, c.fact_id, c.material_id).limit(limit)
    pairs = (
        (c.author, author),
        (c.kind, kind),
        (c.party, party_code),
        (c.shipment_id, shipment_id),
        (c.material_id, material_id),
    )
    for column, value in pairs:
        query = query.where(column == value) if value else query
    return conn.execute(query).all()
