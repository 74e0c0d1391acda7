"""What the pages of shipping and receiving show, read in one picture each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row

from local_mes.transfers import errors
from local_mes.transfers.photos import photos_of
from local_mes.transfers.routing import route_of
from local_mes.transfers.shipping import ListedPiece
from shared.material.queries import MaterialFilter, list_materials
from shared.quality.queries import held_ids
from shared.transfers import queries
from shared.transfers.case_queries import cases_of_shipment, find_cases
from shared.transfers.lines import LineFilter, TransferLine, find_lines
from shared.transfers.showing import case_row, line_row
from shared.transfers.told import with_told
from shared.web.context import node, reading
from shared.web.paging import Page, Paging, cut

READY_SHOWN = 60
EXPECTED_MAX = 2_000


@dataclass(frozen=True)
class ExpectedLoad:
    """A load on its way here: how many of its pieces are still to come."""

    number: str
    sender: str
    vehicle: str
    mode: str
    departed_at_ms: int
    eta_ms: int
    open_pieces: int
    mass_g: int
    late: bool
    closed: bool


def read_loads(paging: Paging) -> Page[Any]:
    """Loads that left here, youngest first."""
    with reading() as conn:
        rows = queries.find_shipments(
            conn, sender=node().code, q=paging.wants("q"), after=paging.after, limit=paging.limit + 1
        )
    return cut(rows, paging, "shipment_id")


def read_ready(conn: Connection, here: str, q: str) -> list[Row[Any]]:
    """Pieces that could be shipped: here, of a kind that travels, not held."""
    rows, _ = list_materials(conn, MaterialFilter(author=here, state="live", q=q), limit=READY_SHOWN * 4)
    held = held_ids(conn, [row.material_id for row in rows])
    return [row for row in rows if row.kind != "heat" and row.material_id not in held][:READY_SHOWN]


def listed_pieces(text: str) -> tuple[ListedPiece, ...]:
    """Pieces typed or scanned one a line, each with its position after a blank."""
    parts = [line.split(maxsplit=1) for line in text.splitlines() if line.strip()]
    return tuple(ListedPiece(part[0], part[1].strip() if len(part) > 1 else "") for part in parts)


def read_load(conn: Connection, here: str, number: str) -> dict[str, Any]:
    """One load with its lines and cases; it left here or comes here."""
    row = queries.find_shipment(conn, number)
    if row is None or here not in (row.author, row.to_plant):
        raise errors.unknown_load(number, here)
    lines = find_lines(conn, LineFilter(sender=row.author, shipment_id=row.shipment_id))
    if row.author == here:
        lines = with_told(conn, lines)
    lines.sort(key=lambda line: (line.position, line.number))
    close = queries.find_close(conn, row.to_plant, row.shipment_id)
    return {
        "load": row,
        "lines": lines,
        "rows": [line_row(line) for line in lines],
        "outgoing": row.author == here,
        "to_come": [line for line in lines if _is_to_come(line)],
        "close": close,
        "cases": [_with_photos(conn, case) for case in cases_of_shipment(conn, row.shipment_id)],
    }


def read_expected(conn: Connection, here: str) -> dict[str, Any]:
    """Loads with pieces still to come, soonest first, and receipts that wait for their sender's data."""
    loads: dict[str, list[TransferLine]] = {}
    for line in find_lines(conn, LineFilter(receiver=here, open_only=True), limit=EXPECTED_MAX):
        loads.setdefault(line.shipment_id, []).append(line)
    now_ms = node().clock.now_ms()
    expected = sorted(
        (_expected(lines, now_ms) for lines in loads.values()), key=lambda load: (load.closed, load.eta_ms)
    )
    return {
        "loads": expected,
        "likely": queries.find_likely_sender(conn, here),
        "waiting": queries.find_receipts(conn, receiver=here, provisional=True, limit=100),
        "cases": [_with_photos(conn, case) for case in find_cases(conn, state="open", plant=here)],
    }


def _with_photos(conn: Connection, case: Row[Any]) -> dict[str, Any]:
    return case_row(case) | {"photos": photos_of(conn, case.receipt_id) if case.receipt_id else []}


def find_expected_line(conn: Connection, here: str, shipment: str, number: str) -> TransferLine | None:
    """The line a person is about to take in, or None when no list has it."""
    if not number:
        return None
    lines = find_lines(conn, LineFilter(receiver=here, q=number, open_only=True))
    fit = [
        line for line in lines if number in (line.number, line.material_id) and shipment in ("", line.shipment_number)
    ]
    return fit[0] if fit else None


def last_place(conn: Connection, here: str) -> str:
    """Where the last piece was put: usually the next one goes there too."""
    rows = queries.find_receipts(conn, receiver=here, limit=1)
    return rows[0].place if rows else ""


def read_receipts(paging: Paging) -> Page[Any]:
    """Receipts, youngest first."""
    wanted = {"yes": True, "no": False}.get(paging.wants("provisional"))
    with reading() as conn:
        rows = queries.find_receipts(
            conn,
            receiver=node().code,
            q=paging.wants("q"),
            provisional=wanted,
            after=paging.after,
            limit=paging.limit + 1,
        )
    page = cut(rows, paging, "receipt_id")
    return Page([receipt_row(row) for row in page.items], page.next)


def receipt_row(row: Row[Any]) -> dict[str, Any]:
    """A receipt as a row of a table."""
    state = "waiting for data" if row.provisional else "taken in"
    known = row.shipment_number if row.shipment_id else None
    return dict(row._mapping) | {
        "state": state,
        "state_state": "held" if row.provisional else "done",
        "known_load": known,
    }


def read_receipt(conn: Connection, here: str, receipt_id: str) -> dict[str, Any]:
    """One receipt with the sender's line, where it is known."""
    row = queries.find_receipt(conn, receipt_id)
    if row is None or row.author != here:
        raise errors.unknown_receipt(receipt_id)
    wanted = LineFilter(shipment_id=row.shipment_id, material_id=row.material_id)
    lines = find_lines(conn, wanted) if row.shipment_id else []
    likely = queries.find_likely_sender(conn, here) if row.provisional and not row.from_plant else ""
    return {
        "receipt": row,
        "line": lines[0] if lines else None,
        "likely": likely,
        "photos": photos_of(conn, receipt_id),
        "route": route_of(conn, here, row.material_id),
    }


def _is_to_come(line: TransferLine) -> bool:
    return line.is_awaited


def _expected(lines: list[TransferLine], now_ms: int) -> ExpectedLoad:
    one = lines[0]
    return ExpectedLoad(
        one.shipment_number,
        one.sender,
        one.vehicle,
        one.mode,
        one.departed_at_ms,
        one.eta_ms,
        len(lines),
        sum(line.sender_mass_g for line in lines),
        one.eta_ms < now_ms,
        one.closed_at_ms is not None,
    )
