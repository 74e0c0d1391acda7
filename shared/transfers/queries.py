"""Named reads of transfers: loads, receipts, candidates for a printed number, custody numbers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, Row, and_, func, literal, or_, select

from shared.transfers.domain import Candidate
from shared.transfers.facts import PieceData
from shared.transfers.tables import receipt, receipt_close, shipment, shipment_line, shipment_line_number, transfer_word

LOADS_A_QUERY = 500


def find_shipment(conn: Connection, number_or_id: str, *, sender: str = "", receiver: str = "") -> Row[Any] | None:
    """A load by its id or number; of several with the number the youngest."""
    query = select(shipment).where(or_(shipment.c.shipment_id == number_or_id, shipment.c.number == number_or_id))
    for column, value in ((shipment.c.author, sender), (shipment.c.to_plant, receiver)):
        if value:
            query = query.where(column == value)
    return conn.execute(query.order_by(shipment.c.departed_at_ms.desc(), shipment.c.shipment_id.desc())).first()


def find_shipments(
    conn: Connection, *, sender: str = "", receiver: str = "", q: str = "", after: str = "", limit: int = 50
) -> Sequence[Row[Any]]:
    """Loads, youngest first, each with the count and sum (g) of its lines that did leave."""
    line, c = shipment_line.c, shipment.c
    left = and_(line.author == c.author, line.shipment_id == c.shipment_id, line.withdrawn.is_(False))
    mass = func.coalesce(func.sum(line.mass_g), 0).label("mass_g")
    query = (
        select(shipment, func.count(line.material_id).label("pieces"), mass)
        .join_from(shipment, shipment_line, left, isouter=True)
        .group_by(*shipment.columns)
    )
    for column, value in ((c.author, sender), (c.to_plant, receiver)):
        if value:
            query = query.where(column == value)
    if q:
        query = query.where(or_(c.number.ilike(f"%{q}%"), c.vehicle.ilike(f"%{q}%")))
    if after:
        query = query.where(c.shipment_id < after)
    return conn.execute(query.order_by(c.shipment_id.desc()).limit(limit)).all()


def find_receipts(
    conn: Connection,
    *,
    receiver: str = "",
    sender: str = "",
    q: str = "",
    printed_number: str = "",
    provisional: bool | None = None,
    after: str = "",
    limit: int = 50,
) -> Sequence[Row[Any]]:
    """Receipts, youngest first."""
    c = receipt.c
    query = select(receipt)
    for column, value in ((c.author, receiver), (c.from_plant, sender), (c.printed_number, printed_number)):
        if value:
            query = query.where(column == value)
    if q:
        query = query.where(
            or_(c.printed_number.ilike(f"%{q}%"), c.own_number.ilike(f"%{q}%"), c.shipment_number.ilike(f"%{q}%"))
        )
    if provisional is not None:
        query = query.where(c.provisional.is_(provisional))
    if after:
        query = query.where(c.receipt_id < after)
    return conn.execute(query.order_by(c.receipt_id.desc()).limit(limit)).all()


def find_receipt(conn: Connection, receipt_id: str) -> Row[Any] | None:
    """One receipt."""
    return conn.execute(select(receipt).where(receipt.c.receipt_id == receipt_id)).first()


def find_receipt_of(conn: Connection, receiver: str, material_id: str) -> Row[Any] | None:
    """The last receipt of a piece at a plant, under its true identity or the one it came in under."""
    c = receipt.c
    query = select(receipt).where(c.author == receiver, or_(c.material_id == material_id, c.taken_in_as == material_id))
    return conn.execute(query.order_by(c.receipt_id.desc())).first()


def find_receipt_citing(conn: Connection, receiver: str, material_id: str, custody_no: int) -> Row[Any] | None:
    """The receipt of a piece at a plant under this custody number, or a later one."""
    c = receipt.c
    query = select(receipt).where(c.author == receiver, c.material_id == material_id, c.custody_no >= custody_no)
    return conn.execute(query.order_by(c.custody_no, c.receipt_id)).first()


def find_close(conn: Connection, receiver: str, shipment_id: str) -> Row[Any] | None:
    """The receiver's word that a load is unloaded, the first if said twice."""
    c = receipt_close.c
    query = select(receipt_close).where(c.author == receiver, c.shipment_id == shipment_id)
    return conn.execute(query.order_by(c.recorded_at_ms, c.fact_id)).first()


def find_candidates(conn: Connection, printed: Iterable[str], receiver: str = "") -> list[Candidate]:
    """Sender's lines that bear one of these printed numbers, not withdrawn, to this receiver (or to anybody)."""
    n, line, s = shipment_line_number.c, shipment_line.c, shipment.c
    same = and_(n.author == line.author, n.shipment_id == line.shipment_id, n.material_id == line.material_id)
    taken = (
        select(receipt.c.receipt_id)
        .where(receipt.c.shipment_id == line.shipment_id, receipt.c.material_id == line.material_id)
        .exists()
    )
    query = (
        select(
            line.author,
            line.shipment_id,
            line.material_id,
            line.departed_at_ms,
            line.custody_no,
            s.number,
            taken.label("taken"),
        )
        .join_from(shipment_line_number, shipment_line, same)
        .join(shipment, and_(s.author == line.author, s.shipment_id == line.shipment_id))
        .where(n.value.in_(list(printed)), line.withdrawn.is_(False), ~_came_back())
    )
    if receiver:
        query = query.where(s.to_plant == receiver)
    return [
        Candidate(r.author, r.shipment_id, r.number, r.material_id, r.departed_at_ms, r.taken, r.custody_no)
        for r in conn.execute(query)
    ]


def _came_back() -> ColumnElement[bool]:
    """Whether the sender has the piece of a line again: then it is on no list any more."""
    w, line = transfer_word.c, shipment_line.c
    back = and_(
        w.author == line.author,
        w.shipment_id == line.shipment_id,
        w.material_id == line.material_id,
        w.kind == "returned",
    )
    return select(literal(1)).where(back).correlate(shipment_line).exists()


def find_numbers(conn: Connection, shipments: Sequence[str]) -> dict[tuple[str, str], list[str]]:
    """Every number that the senders told of the pieces of these loads, by (shipment, material)."""
    c = shipment_line_number.c
    found: dict[tuple[str, str], list[str]] = {}
    for at in range(0, len(shipments), LOADS_A_QUERY):
        query = select(shipment_line_number).where(c.shipment_id.in_(shipments[at : at + LOADS_A_QUERY]))
        for row in conn.execute(query.order_by(c.value)):
            found.setdefault((row.shipment_id, row.material_id), []).append(row.value)
    return found


def get_piece(conn: Connection, sender: str, shipment_id: str, material_id: str) -> PieceData:
    """What the sender says of one piece on a load."""
    c = shipment_line.c
    text = conn.execute(
        select(c.piece).where(c.author == sender, c.shipment_id == shipment_id, c.material_id == material_id)
    ).scalar_one()
    return msgspec.json.decode(text, type=PieceData)


def find_pieces(conn: Connection, shipments: Sequence[str]) -> dict[tuple[str, str], PieceData]:
    """What the senders say of all pieces of these loads, by (shipment, material)."""
    c = shipment_line.c
    found: dict[tuple[str, str], PieceData] = {}
    for at in range(0, len(shipments), LOADS_A_QUERY):
        query = select(c.shipment_id, c.material_id, c.piece).where(
            c.shipment_id.in_(shipments[at : at + LOADS_A_QUERY])
        )
        for row in conn.execute(query):
            found[row.shipment_id, row.material_id] = msgspec.json.decode(row.piece, type=PieceData)
    return found


def custody_numbers(conn: Connection, material_id: str) -> list[int]:
    """Every custody number known here for a piece, of departures, receipts and returns."""
    sent = select(shipment_line.c.custody_no).where(shipment_line.c.material_id == material_id)
    came = select(receipt.c.custody_no).where(receipt.c.material_id == material_id)
    said = select(transfer_word.c.custody_no).where(transfer_word.c.material_id == material_id)
    return list(conn.execute(sent.union_all(came, said)).scalars())


def departure_in_force(conn: Connection, material_id: str) -> int:
    """The custody number of the last departure of a piece that is known here and stands; 0 where there is none."""
    c = shipment_line.c
    query = select(func.max(c.custody_no)).where(c.material_id == material_id, c.withdrawn.is_(False))
    return conn.execute(query).scalar() or 0


def find_likely_sender(conn: Connection, receiver: str) -> str:
    """The one plant that ever announced a load to this one, empty when there are none or several.

    A guess, to be shown as one: a plant never heard of sends too.
    """
    query = select(shipment.c.author).where(shipment.c.to_plant == receiver).distinct().limit(2)
    known = conn.execute(query).scalars().all()
    return str(known[0]) if len(known) == 1 else ""


def find_told_piece(conn: Connection, material_id: str) -> PieceData | None:
    """What the sender of the last known load said of a piece, or None when it never travelled."""
    c = shipment_line.c
    text = (
        conn.execute(
            select(c.piece).where(c.material_id == material_id).order_by(c.departed_at_ms.desc(), c.shipment_id.desc())
        )
        .scalars()
        .first()
    )
    return None if text is None else msgspec.json.decode(text, type=PieceData)


def is_provisional(conn: Connection, material_id: str) -> bool:
    """Whether a piece came in under an identity that is not tied to its sender's data yet."""
    query = select(receipt.c.receipt_id).where(receipt.c.taken_in_as == material_id, receipt.c.provisional.is_(True))
    return conn.execute(query).first() is not None
