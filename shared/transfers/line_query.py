"""The one query that reads a line of a transfer with everything both sides said of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, ColumnElement, ScalarSelect, Select, Table, and_, func, literal, or_, select

from shared.outside.tables import party, party_word
from shared.transfers.tables import arrival, receipt, receipt_close, shipment, shipment_line
from shared.transfers.words import words_of_lines


@dataclass(frozen=True)
class LineFilter:
    """Which lines are wanted; empty means all.

    open_only leaves out what was received, came back or never left; since_ms what was received before it; state lets
    through what may be in that derived state (whether it is, lines.py says).
    """

    sender: str = ""
    receiver: str = ""
    shipment_id: str = ""
    material_id: str = ""
    q: str = ""
    open_only: bool = False
    since_ms: int = 0
    state: str = ""


def line_query() -> Select[Any]:
    """Every line: the sender's part, the receiver's, and what either said of it since.

    What an outside party received stands in the sender's stream, because the sender answers for it.
    """
    line, s, r = shipment_line.c, shipment.c, receipt.c
    ours = and_(
        r.author == s.to_plant,
        r.shipment_id == line.shipment_id,
        r.material_id == line.material_id,
        ~_earlier_receipt(),
    )
    closed = func.coalesce(_first(receipt_close, receipt_close.c.closed_at_ms), _missed()).label("closed_at_ms")
    arrived = _first(arrival, arrival.c.arrived_at_ms).label("arrived_at_ms")
    words = and_(_SAID.c.shipment_id == line.shipment_id, _SAID.c.material_id == line.material_id)
    w, p = party_word.c, party.c
    taken = and_(
        w.author == line.author,
        w.shipment_id == line.shipment_id,
        w.material_id == line.material_id,
        w.kind == "received",
        ~_earlier_word(),
    )
    return (
        select(*_SENT, *_CAME, *_WORDS, arrived, closed, p.confirms)
        .join_from(shipment_line, shipment, and_(s.author == line.author, s.shipment_id == line.shipment_id))
        .join(receipt, ours, isouter=True)
        .join(_SAID, words, isouter=True)
        .join(party, and_(p.author == line.author, p.code == s.to_plant), isouter=True)
        .join(party_word, taken, isouter=True)
    )


def _earlier_word() -> ColumnElement[bool]:
    """The same for what an outside party took in."""
    other, w = party_word.alias(), party_word.c
    same = (
        other.c.author == w.author,
        other.c.shipment_id == w.shipment_id,
        other.c.material_id == w.material_id,
        other.c.kind == w.kind,
    )
    return select(literal(1)).where(*same, other.c.fact_id < w.fact_id).correlate(party_word).exists()


def _missed() -> ScalarSelect[int]:
    """When an outside party first said that the piece did not come."""
    line, other = shipment_line.c, party_word.alias()
    about = (
        other.c.author == line.author,
        other.c.shipment_id == line.shipment_id,
        other.c.material_id == line.material_id,
        other.c.kind == "missed",
    )
    return select(func.min(other.c.said_at_ms)).where(*about).scalar_subquery()


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
    *(shipment.c[name] for name in ("to_plant", "lane", "mode", "vehicle", "carrier", "eta_ms")),
)
_BOTH = (
    ("receipt_id", "fact_id", "receipt_id"),
    ("own_number", "own_number", "own_number"),
    ("received_at_ms", "said_at_ms", "received_at_ms"),
    ("damage", "damage", "damage"),
    ("mass_g", "mass_g", "came_g"),
    ("mass_basis", "mass_basis", "came_basis"),
    ("scale", "scale", "came_scale"),
    ("fact_id", "fact_id", "came_fact"),
    ("recorded_at_ms", "recorded_at_ms", "came_recorded_ms"),
)
"""A receipt's columns, those of an outside party's word, and what either is called in a line."""
_CAME = (
    *(func.coalesce(receipt.c[mine], party_word.c[theirs]).label(name) for mine, theirs, name in _BOTH),
    receipt.c.came_unlisted,
)
_RECEIVED_AT = func.coalesce(receipt.c.received_at_ms, party_word.c.said_at_ms)


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
        query = query.where(or_(*_bears(f"%{wanted.q}%")))
    if wanted.since_ms:
        query = query.where(or_(~_received(), _received(wanted.since_ms)))
    if wanted.open_only:
        query = query.where(~_received(), line.withdrawn.is_(False), _SAID.c.returned_at_ms.is_(None))
        query = query.where(func.coalesce(party.c.confirms, True))
    if wanted.state:
        query = query.where(*_may_be(wanted.state))
    return query


receipt_of, word_of = receipt.alias("receipt_of"), party_word.alias("word_of")


def _received(since_ms: int = 0) -> ColumnElement[bool]:
    """Whether the addressee took the piece in (since then): asked of indexes alone, before the rest of a line is joined."""
    line, r, w = shipment_line.c, receipt_of.c, word_of.c
    here = (r.shipment_id == line.shipment_id, r.material_id == line.material_id, r.author == shipment.c.to_plant)
    told = (w.author == line.author, w.shipment_id == line.shipment_id, w.material_id == line.material_id)
    came = select(literal(1)).where(*here, r.received_at_ms >= since_ms)
    said = select(literal(1)).where(*told, w.kind == "received", w.said_at_ms >= since_ms)
    return or_(*(query.correlate(shipment_line, shipment).exists() for query in (came, said)))


def _bears(like: str) -> Iterator[ColumnElement[bool]]:
    """The number of its load, its own, or its receiver's; each looked for in one narrow table by itself."""
    line, loads, lines = shipment_line.c, shipment.alias(), shipment_line.alias()
    yield line.shipment_id.in_(select(loads.c.shipment_id).where(loads.c.number.ilike(like)))
    yield line.material_id.in_(select(lines.c.material_id).where(lines.c.number.ilike(like)))
    yield line.material_id.in_(select(receipt_of.c.material_id).where(receipt_of.c.own_number.ilike(like)))


def _may_be(state: str) -> list[ColumnElement[bool]]:
    """What the tables can say of a derived state by themselves."""
    line = shipment_line.c
    if state.startswith("received"):
        return [_received()]
    told = {
        "returned": _SAID.c.returned_at_ms,
        "refused": _SAID.c.refused_at_ms,
        "written_off": _SAID.c.lost_by_sender_ms,
    }
    said = [told[state].is_not(None)] if state in told else []
    return [~_received(), line.withdrawn.is_(state in ("did_not_occur", "diverted")), *said]
