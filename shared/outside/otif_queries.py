"""What on-time-in-full is counted from: order items of customers a plant answers for, and what left for them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo

from sqlalchemy import Connection, and_, func, literal, select

from shared.orders.tables import order_item
from shared.outside.facts import CUSTOMER
from shared.outside.otif import Fulfilment, Left, Ordered, fulfil
from shared.outside.tables import delivery, delivery_line, order_terms, party
from shared.transfers.tables import shipment_line, transfer_word

STANDARD_TOLERANCE_PPM = 50_000
"""What a customer takes as the whole where nothing else was agreed (5 %, rule of thumb)."""


def read_fulfilment(conn: Connection, author: str, as_of_ms: int, zone: tzinfo) -> list[Fulfilment]:
    """Every order item of the customers that this plant (empty: any plant) answers for, by due day and item."""
    return fulfil(_ordered(conn, author), _left(conn, author), as_of_ms, zone)


def answering_plants(conn: Connection) -> Sequence[str]:
    """Plants that answer for customers: whose watermarks such figures depend on."""
    query = select(party.c.author).where(party.c.kind == CUSTOMER).distinct().order_by(party.c.author)
    return conn.execute(query).scalars().all()


def _ordered(conn: Connection, author: str) -> list[Ordered]:
    """Of an item that several plants know, the one released last counts."""
    o, t = order_item.c, order_terms.c
    ours = and_(party.c.author == o.author, party.c.kind == CUSTOMER, party.c.name == o.customer)
    tolerance = func.coalesce(t.tolerance_ppm, STANDARD_TOLERANCE_PPM)
    query = (
        select(o.item, o.customer, o.due, o.mass_g, tolerance)
        .join_from(order_item, order_terms, and_(t.author == o.author, t.item == o.item), isouter=True)
        .where(select(literal(1)).select_from(party).where(ours).correlate(order_item).exists())
        .order_by(o.released_at_ms, o.author)
    )
    if author:
        query = query.where(o.author == author)
    last = {row.item: Ordered(*row) for row in conn.execute(query)}
    return sorted(last.values(), key=lambda order: (order.due, order.item))


def _left(conn: Connection, author: str) -> list[Left]:
    """Pieces on notes to customers whose departure stands: not denied, not back, not given up."""
    d, s, w = delivery_line.c, shipment_line.c, transfer_word.c
    stands = and_(s.author == d.author, s.shipment_id == d.shipment_id, s.material_id == d.material_id)
    gone_again = and_(
        w.author == d.author,
        w.shipment_id == d.shipment_id,
        w.material_id == d.material_id,
        w.kind.in_(("returned", "lost")),
    )
    to_customer = and_(party.c.author == delivery.c.author, party.c.code == delivery.c.party)
    query = (
        select(d.order_item, d.mass_g, d.left_at_ms)
        .join_from(
            delivery_line,
            delivery,
            and_(delivery.c.author == d.author, delivery.c.shipment_id == d.shipment_id),
        )
        .join(party, to_customer)
        .join(shipment_line, stands)
        .where(party.c.kind == CUSTOMER, s.withdrawn.is_(False))
        .where(~select(literal(1)).select_from(transfer_word).where(gone_again).correlate(delivery_line).exists())
    )
    if author:
        query = query.where(d.author == author)
    return [Left(*row) for row in conn.execute(query)]
