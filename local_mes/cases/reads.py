"""What a plant's pages of cases show, read in one picture each."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, select

from local_mes.cases.service import check_here
from shared.material.queries import find_by_number
from shared.transfers.case_desk import DeskFilter, cursor_of, find_desk, find_on_desk, read_talk
from shared.transfers.case_rules import resolutions
from shared.transfers.lines import LineFilter, find_lines
from shared.transfers.queries import find_receipt
from shared.transfers.showing import case_row
from shared.transfers.tables import receipt as receipt_table
from shared.transfers.words import find_words
from shared.web.accounts import names_of
from shared.web.context import node, reading
from shared.web.formats import kg
from shared.web.paging import Page, Paging


def read_cases(paging: Paging) -> Page[Any]:
    """Cases of this plant, by age or deadline; the open ones unless the filter says otherwise."""
    here, now_ms = node().code, node().clock.now_ms()
    state = paging.wants("state") or "open"
    wanted = DeskFilter(
        state="" if state in ("all", "overdue") else state,
        kind=paging.wants("kind"),
        plant=here,
        q=paging.wants("q"),
        party=here if paging.wants("turn") == "here" else "",
        overdue_at_ms=now_ms if state == "overdue" else 0,
    )
    sort = paging.sort or "since_ms"
    descending = paging.descending if paging.sort else True
    with reading() as conn:
        rows = find_desk(conn, wanted, sort=sort, descending=descending, after=paging.after, limit=paging.limit + 1)
    shown = [_row(row, here, now_ms) for row in rows[: paging.limit]]
    return Page(shown, cursor_of(rows[paging.limit - 1], sort) if len(rows) > paging.limit else None)


def read_case(conn: Connection, here: str, case_id: str) -> dict[str, Any]:
    """A case of this plant: both sides as far as they are known here, its conversation, how it ended."""
    row = check_here(find_on_desk(conn, case_id), here, case_id)
    receipt = find_receipt(conn, row.receipt_id) if row.receipt_id else None
    of = row if row.shipment_id or receipt is None else receipt
    wanted = LineFilter(shipment_id=of.shipment_id, material_id=of.material_id)
    line = next(iter(find_lines(conn, wanted)), None) if of.shipment_id else None
    if receipt is None and line is not None and line.receipt_id:
        receipt = find_receipt(conn, line.receipt_id)
    at_sender = find_by_number(conn, row.piece_number, row.from_plant) if row.piece_number and row.from_plant else ()
    talk = read_talk(conn, row)
    swaps = _swaps(conn, of.shipment_id, row.material_id)
    asks = receipt is not None and row.kind == "mass" and not swaps
    return {
        "case": case_row(row),
        "others": _others(conn, here, receipt) if receipt is not None and asks else [],
        "swaps": swaps,
        "line": line,
        "receipt": receipt,
        "at_sender": next(iter(at_sender), None),
        "talk": talk,
        "mine": next(standing for standing in talk.standings if standing.plant == here),
        "names": names_of(conn, {word.said_by for word in talk.words}),
        "ended": resolutions(row.kind).get(row.resolution, row.resolution),
    }


def _swaps(conn: Connection, shipment_id: str, material_id: str) -> list[Row[Any]]:
    """What was said of this piece's label."""
    said = find_words(conn, "swapped", shipment_id=shipment_id) if shipment_id else ()
    return [word for word in said if material_id in word.detail]


def _others(conn: Connection, here: str, of: Row[Any]) -> list[tuple[str, str]]:
    """What else came here with the load of a receipt, with both masses: one of it may bear this piece's label."""
    c = receipt_table.c
    same = (c.author == here, c.shipment_id == of.shipment_id, c.receipt_id != of.receipt_id, c.provisional.is_(False))
    rows = conn.execute(select(receipt_table).where(*same).order_by(c.own_number)).all()
    return [
        (row.receipt_id, f"{row.own_number}: {kg(row.mass_g)} kg here, {kg(row.sender_mass_g or 0)} kg by its sender")
        for row in rows
    ]


def _row(row: Any, here: str, now_ms: int) -> dict[str, Any]:
    late = row.state == "open" and row.due_ms < now_ms
    return case_row(row) | {
        "turn": "this plant" if row.party == here else row.party,
        "due": "overdue" if late else ("" if row.state == "open" else "ended"),
        "due_state": "alarm" if late else "done",
    }
