"""Named reads of loads before they leave."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, and_, func, or_, select

from shared.transfers.plan_tables import load_announcement, load_piece, load_plan
from shared.transfers.tables import shipment


def find_plan(conn: Connection, author: str, number_or_id: str) -> Row[Any] | None:
    """A plan by its id or number; of several with the number the youngest."""
    c = load_plan.c
    query = select(load_plan).where(c.author == author, or_(c.shipment_id == number_or_id, c.number == number_or_id))
    return conn.execute(query.order_by(c.shipment_id.desc())).first()


def open_plans(conn: Connection, author: str) -> Sequence[Row[Any]]:
    """Loads that have not left, oldest first, with how many pieces and grams lie on them and how many are planned."""
    p, c = load_plan.c, load_piece.c
    loaded = c.loaded_at_ms > 0
    counts = (
        func.count(c.material_id).filter(loaded).label("loaded"),
        func.coalesce(func.sum(c.mass_g).filter(loaded), 0).label("loaded_g"),
        func.count(c.material_id).label("pieces"),
    )
    query = (
        select(load_plan, *counts)
        .join_from(load_plan, load_piece, and_(c.author == p.author, c.shipment_id == p.shipment_id), isouter=True)
        .where(p.author == author, p.state == "open")
        .group_by(*load_plan.columns)
    )
    return conn.execute(query.order_by(p.shipment_id)).all()


def pieces_of(conn: Connection, author: str, shipment_id: str) -> Sequence[Row[Any]]:
    """Pieces planned for or lying on a load, in the order they were loaded."""
    c = load_piece.c
    query = select(load_piece).where(c.author == author, c.shipment_id == shipment_id)
    return conn.execute(query.order_by(c.loaded_at_ms, c.number)).all()


def find_other_load(conn: Connection, author: str, material_id: str, shipment_id: str) -> str:
    """The number of another open load that a piece lies on, empty when there is none."""
    p, c = load_plan.c, load_piece.c
    query = (
        select(p.number)
        .join_from(load_piece, load_plan, and_(c.author == p.author, c.shipment_id == p.shipment_id))
        .where(p.author == author, p.state == "open", c.material_id == material_id, c.loaded_at_ms > 0)
        .where(p.shipment_id != shipment_id)
    )
    return conn.execute(query).scalar() or ""


def loaded_on(conn: Connection, author: str, vehicle: str) -> dict[str, int]:
    """What lies on each wagon, bay or truck of a train or truck, over all open loads that share it: code -> grams."""
    p, c = load_plan.c, load_piece.c
    query = (
        select(c.vehicle, func.sum(c.mass_g))
        .join_from(load_piece, load_plan, and_(c.author == p.author, c.shipment_id == p.shipment_id))
        .where(p.author == author, p.state == "open", p.vehicle == vehicle, c.loaded_at_ms > 0)
        .group_by(c.vehicle)
    )
    return {row[0]: int(row[1]) for row in conn.execute(query)}


def announced_to(conn: Connection, receiver: str) -> Sequence[Row[Any]]:
    """Loads that senders announced and that have not left as far as is known here, soonest first."""
    a, s = load_announcement.c, shipment.c
    left = select(s.shipment_id).where(s.author == a.author, s.shipment_id == a.shipment_id).exists()
    query = select(load_announcement).where(a.to_plant == receiver, a.cancelled.is_(False), ~left)
    return conn.execute(query.order_by(a.eta_ms, a.shipment_id)).all()
