"""The one query that reads a line of a transfer with everything both sides said of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, ColumnElement, ScalarSelect, Select, Table, and_, func, literal, or_, select

from shared.transfers.tables import arrival, receipt, receipt_close, shipment, shipment_line
from shared.transfers.words import words_of_lines


@dataclass(frozen=True)
class LineFilter:
    """Which lines are wanted; empty means all.

    open_only leaves out what was received, came back or never left; since_ms what was received before it.
    """

    sender: str = ""
    receiver: str = ""
    shipment_id: str = ""
    material_id: str = ""
    q: str = ""
    open_only: bool = False
    since_ms: int = 0


def line_query() -> Select[Any]:
    """Every line: the sender's part, the receiver's, and what either said of it since."""
    line, s, r = shipment_line.c, shipment.c, receipt.c
    ours = and_(
        r.author == s.to_plant,
        r.shipment_id == line.shipment_id,
        r.material_id == line.material_id,
        ~_earlier_receipt(),
    )
    closed = _first(receipt_close, receipt_close.c.closed_at_ms).label("closed_at_ms")
    arrived = _first(arrival, arrival.c.arrived_at_ms).label("arrived_at_ms")
    words = and_(_SAID.c.shipment_id == line.shipment_id, _SAID.c.material_id == line.material_id)
    return (
        select(*_SENT, *_CAME, *_WORDS, arrived, closed)
        .join_from(shipment_line, shipment, and_(s.author == line.author, s.shipment_id == line.shipment_id))
        .join(receipt, ours, isouter=True)
        .join(_SAID, words, isouter=True)
    )


def _earlier_receipt() -> ColumnElement[bool]:
    """A piece that was taken in twice is still one line: its first receipt stands for it, the case shows both."""
    other, r = receipt.alias(), receipt.c
    same = (other.c.author == r.author, other.c.shipment_id == r.shipment_id, other.c.material_id == r.material_id)
    return select(literal(1)).where(*same, other.c.receipt_id < r.receipt_id).correlate(receipt).exists()


def _first(table: Table, at: Column[int]) -> ScalarSelect[int]:
    """When the addressee first said so of the load."""
    return (
        select(func.min(at))
        .where(table.c.author == shipment.c.to_plant, table.c.shipment_id == shipment_line.c.shipment_id)
        .scalar_subquery()
    )


_SAID = words_of_lines()
_WORDS = tuple(
    _SAID.c[name]
    for name in ("refused_at_ms", "returned_at_ms", "diverted_at_ms", "lost_by_sender_ms", "lost_by_receiver_ms")
)
_SENT = (
    *(
        shipment_line.c[name]
        for name in (
            "shipment_id",
            "position",
            "material_id",
            "number",
            "kind",
            "grade",
            "order_item",
            "quality",
            "custody_no",
            "mass_g",
            "mass_basis",
            "scale",
            "departed_at_ms",
            "entered",
            "withdrawn",
            "withdrawn_at_ms",
            "recorded_at_ms",
            "fact_id",
        )
    ),
    shipment_line.c.author.label("sender"),
    shipment.c.number.label("shipment_number"),
    *(shipment.c[name] for name in ("to_plant", "lane", "mode", "vehicle", "eta_ms")),
)
_CAME = (
    *(receipt.c[name] for name in ("receipt_id", "own_number", "received_at_ms", "damage", "came_unlisted")),
    receipt.c.mass_g.label("came_g"),
    receipt.c.mass_basis.label("came_basis"),
    receipt.c.scale.label("came_scale"),
    receipt.c.fact_id.label("came_fact"),
    receipt.c.recorded_at_ms.label("came_recorded_ms"),
)


def narrow(query: Select[Any], wanted: LineFilter) -> Select[Any]:
    """The query with a filter's conditions."""
    line, s = shipment_line.c, shipment.c
    pairs = (
        (line.author, wanted.sender),
        (s.to_plant, wanted.receiver),
        (line.shipment_id, wanted.shipment_id),
        (line.material_id, wanted.material_id),
    )
    for column, value in pairs:
        if value:
            query = query.where(column == value)
    if wanted.q:
        like = f"%{wanted.q}%"
        query = query.where(or_(line.number.ilike(like), s.number.ilike(like), receipt.c.own_number.ilike(like)))
    if wanted.since_ms:
        query = query.where(or_(receipt.c.receipt_id.is_(None), receipt.c.received_at_ms >= wanted.since_ms))
    if wanted.open_only:
        query = query.where(receipt.c.receipt_id.is_(None), line.withdrawn.is_(False), _SAID.c.returned_at_ms.is_(None))
    return query
