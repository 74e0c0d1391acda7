"""What is not judged yet, read in bulk into the values that domain.py judges."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, literal, or_, select
from sqlalchemy.sql.elements import ColumnElement

from central_hub.transfers.domain import Close, KnownLine, KnownReceipt
from central_hub.transfers.floors import in_open_spans, read_floors, recent
from central_hub.transfers.spells import earlier_departures
from central_hub.transfers.tables import judged
from shared.db.prepared import Prepared
from shared.transfers.domain import CLOCK_SLACK_MS
from shared.transfers.tables import (
    departure_correction,
    receipt,
    receipt_close,
    shipment,
    shipment_line,
    shipment_line_number,
    transfer_word,
)
from shared.transfers.words import load_of_word

IDS_A_QUERY = 500


@dataclass(frozen=True)
class OpenMatters:
    """Lines and receipts still to be judged, with everything said about them by the other side."""

    lines: Sequence[KnownLine]
    closes: dict[tuple[str, str], Close]
    answered: dict[tuple[str, str], int]
    receipts: Sequence[KnownReceipt]
    unlisted: Sequence[KnownReceipt]
    lines_by_number: dict[str, list[KnownLine]]
    floors: dict[str, int]


def read_open_matters(conn: Connection) -> OpenMatters:
    """Everything unjudged, as it stands in this transaction."""
    lines = [KnownLine(*row) for row in in_open_spans(conn, OPEN_LINES)] + _taken_back(conn)
    unlisted = [_to_receipt(row) for row in in_open_spans(conn, UNLISTED)]
    matched = [_to_receipt(row) for row in in_open_spans(conn, MATCHED)]
    lines.sort(key=lambda line: (line.shipment_id, line.material_id))
    unlisted.sort(key=_age)
    return OpenMatters(
        lines=lines,
        closes=_closes(conn, sorted({line.shipment_id for line in lines})),
        answered=_answered(conn, lines),
        receipts=sorted(matched, key=_age),
        unlisted=unlisted,
        lines_by_number=_lines_by_number(conn, sorted({r.printed_number for r in unlisted})),
        floors=read_floors(conn),
    )


def _open_lines() -> Select[Any]:
    c = shipment_line.c
    return _line_query(and_(recent(shipment_line), not_judged("line", c.fact_id + c.material_id)))


def _denied_lines() -> Select[Any]:
    """Departures that were taken back, and declared again since: each stood for a time."""
    c, d = shipment_line.c, departure_correction.c
    denied = and_(
        d.author == c.author,
        d.shipment_id == c.shipment_id,
        d.material_id == c.material_id,
        d.kind == "did_not_occur",
    )
    was_denied = select(literal(1)).select_from(departure_correction).where(denied).exists()
    return _line_query(and_(recent(shipment_line), c.entered == "late", was_denied))


def _open_receipts(kind: str) -> Select[Any]:
    """kind receipt: matched ones, whose mass is judged; unlisted: those that no list had when they came."""
    c = receipt.c
    which = c.came_unlisted.is_(True) if kind == "unlisted" else c.provisional.is_(False)
    return _receipt_query(and_(recent(receipt), which, not_judged(kind, c.receipt_id)))


OPEN_LINES = Prepared(lambda _database: _open_lines())
DENIED_LINES = Prepared(lambda _database: _denied_lines())
UNLISTED = Prepared(lambda _database: _open_receipts("unlisted"))
MATCHED = Prepared(lambda _database: _open_receipts("receipt"))


def _taken_back(conn: Connection) -> list[KnownLine]:
    again = [KnownLine(*row) for row in in_open_spans(conn, DENIED_LINES)]
    found = {line.ref: line for line in earlier_departures(conn, again)}
    known: set[str] = set()
    for part in _parts(sorted(found)):
        known |= set(
            conn.execute(select(judged.c.ref).where(judged.c.kind == "line", judged.c.ref.in_(part))).scalars()
        )
    return [line for ref, line in found.items() if ref not in known]


def _age(one: KnownReceipt) -> tuple[int, str, str]:
    return one.recorded_at_ms, one.receiver, one.receipt_id


def find_line(conn: Connection, shipment_id: str, material_id: str) -> KnownLine | None:
    """The sender's line of a matched receipt; None while the sender's fact is not here (again)."""
    c = shipment_line.c
    return next(iter(_lines(conn, and_(c.shipment_id == shipment_id, c.material_id == material_id))), None)


def find_twins(conn: Connection, one: KnownReceipt) -> list[KnownReceipt]:
    """Other receipts of the same piece under the same custody number."""
    c = receipt.c
    same = and_(c.material_id == one.material_id, c.custody_no == one.custody_no, c.provisional.is_(False))
    return read_receipts(conn, and_(same, c.receipt_id != one.receipt_id))


def find_others(conn: Connection, one: KnownReceipt) -> list[KnownReceipt]:
    """Receipts of the same piece under other custody numbers."""
    c = receipt.c
    same = and_(c.material_id == one.material_id, c.custody_no != one.custody_no, c.provisional.is_(False))
    return read_receipts(conn, same)


def not_judged(kind: str, ref: ColumnElement[str]) -> ColumnElement[bool]:
    """The condition that a matter was not settled in an earlier pass."""
    return ~select(literal(1)).select_from(judged).where(judged.c.kind == kind, judged.c.ref == ref).exists()


def _lines(conn: Connection, where: ColumnElement[bool]) -> list[KnownLine]:
    return [KnownLine(*tuple(row)) for row in conn.execute(_line_query(where))]


def _line_query(where: ColumnElement[bool]) -> Select[Any]:
    line, s = shipment_line.c, shipment.c
    return (
        select(
            line.author,
            s.to_plant,
            line.shipment_id,
            s.number.label("load"),
            line.material_id,
            line.number,
            s.mode,
            line.mass_g,
            line.departed_at_ms,
            s.eta_ms,
            line.recorded_at_ms,
            line.withdrawn_at_ms,
            line.fact_id,
        )
        .join_from(shipment_line, shipment, and_(s.author == line.author, s.shipment_id == line.shipment_id))
        .where(where)
        .order_by(line.shipment_id, line.material_id)
    )


def read_receipts(conn: Connection, where: ColumnElement[bool]) -> list[KnownReceipt]:
    """Receipts as they are judged, oldest first."""
    return [_to_receipt(tuple(row)) for row in conn.execute(_receipt_query(where))]


def _receipt_query(where: ColumnElement[bool]) -> Select[Any]:
    names = ["author", *(field.name for field in fields(KnownReceipt)[1:])]  # the receiver is the author
    order = (receipt.c.recorded_at_ms, receipt.c.author, receipt.c.receipt_id)
    return select(*(receipt.c[name] for name in names)).where(where).order_by(*order)


def _to_receipt(row: tuple[Any, ...]) -> KnownReceipt:
    one = KnownReceipt(*row)
    return replace(one, provisional=bool(one.provisional), came_unlisted=bool(one.came_unlisted))


def _closes(conn: Connection, shipments: Sequence[str]) -> dict[tuple[str, str], Close]:
    found: dict[tuple[str, str], Close] = {}
    c = receipt_close.c
    for part in _parts(shipments):
        query = select(receipt_close).where(c.shipment_id.in_(part)).order_by(c.recorded_at_ms, c.fact_id)
        for row in conn.execute(query):
            found.setdefault((row.author, row.shipment_id), Close(row.recorded_at_ms, row.fact_id))
    return found


def _answered(conn: Connection, lines: Sequence[KnownLine]) -> dict[tuple[str, str], int]:
    """(shipment, material) -> when the addressee first recorded the piece, taken in or refused, or its sender had it back."""
    by_material = {(line.shipment_id, line.material_id): line for line in lines}
    found: dict[tuple[str, str], int] = {}
    for part in _parts(sorted({line.shipment_id for line in lines})):
        for row in conn.execute(select(receipt).where(receipt.c.shipment_id.in_(part))):
            # one that came under another number answers from when it was tied: nobody could know it before
            line = by_material.get((row.shipment_id, row.material_id))
            _note(found, line, row, row.matched_at_ms or row.recorded_at_ms)
        for word in conn.execute(_spoken_for(part)):
            key = (word.shipment_id, word.material_id)
            found[key] = min(found.get(key, word.recorded_at_ms), word.recorded_at_ms)
        for row in conn.execute(_by_number(part)):
            _note(found, by_material.get((row.line_shipment, row.line_material)), row, row.recorded_at_ms)
    return found


def _spoken_for(shipments: Sequence[str]) -> Any:
    """Words that say where a piece is although it was not taken in."""
    w, s = transfer_word.c, shipment.c
    said = or_(and_(w.kind == "refused", w.author == s.to_plant), and_(w.kind == "returned", w.author == s.author))
    return (
        select(w.shipment_id, w.material_id, w.recorded_at_ms)
        .join_from(transfer_word, shipment, load_of_word())
        .where(w.shipment_id.in_(shipments), said)
    )


def _by_number(shipments: Sequence[str]) -> Any:
    n = shipment_line_number.c
    return (
        select(receipt, n.shipment_id.label("line_shipment"), n.material_id.label("line_material"))
        .join_from(shipment_line_number, receipt, receipt.c.printed_number == n.value)
        .where(n.shipment_id.in_(shipments), receipt.c.came_unlisted.is_(True))
    )


def _note(found: dict[tuple[str, str], int], line: KnownLine | None, row: Row[Any], at_ms: int) -> None:
    if line is None or row.author != line.receiver or line.departed_at_ms > row.received_at_ms + CLOCK_SLACK_MS:
        return
    if row.from_plant not in ("", line.sender):
        return  # plants' numbers collide: what came from another plant is another piece
    key = (line.shipment_id, line.material_id)
    found[key] = min(found.get(key, at_ms), at_ms)


def _lines_by_number(conn: Connection, numbers: Sequence[str]) -> dict[str, list[KnownLine]]:
    found: dict[str, list[KnownLine]] = {}
    n, line = shipment_line_number.c, shipment_line.c
    for part in _parts(numbers):
        bears = (
            select(literal(1))
            .select_from(shipment_line_number)
            .where(
                n.author == line.author,
                n.shipment_id == line.shipment_id,
                n.material_id == line.material_id,
                n.value.in_(part),
            )
            .exists()
        )
        lines = {(k.shipment_id, k.material_id): k for k in _lines(conn, bears)}
        earlier = earlier_departures(conn, lines.values())
        where = and_(n.value.in_(part), n.shipment_id.in_({k.shipment_id for k in lines.values()}))
        for row in conn.execute(select(n.value, n.shipment_id, n.material_id).where(where)):
            known = lines.get((row.shipment_id, row.material_id))
            if known is not None:
                found.setdefault(row.value, []).extend([known, *(e for e in earlier if _is_same(e, known))])
    return {value: sorted(ks, key=lambda k: (k.departed_at_ms, k.shipment_id)) for value, ks in found.items()}


def _is_same(one: KnownLine, other: KnownLine) -> bool:
    return (one.sender, one.shipment_id, one.material_id) == (other.sender, other.shipment_id, other.material_id)


def _parts(ids: Sequence[str]) -> Iterable[Sequence[str]]:
    return (ids[at : at + IDS_A_QUERY] for at in range(0, len(ids), IDS_A_QUERY))
