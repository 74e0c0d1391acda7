"""What the plants said after a case was opened: shown beside it, so that a person can end it.

Read for a page of cases at once: a few statements however many there are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import Connection, Row, select

from shared.material.queries import rows_of
from shared.transfers.domain import MassLimits, compare_mass
from shared.transfers.limits import mass_limits
from shared.transfers.lines import TransferLine, lines_of
from shared.transfers.tables import receipt

Limits = Callable[[str, str], MassLimits]
"""receiver, lane -> the mass limits in force."""
OF_RECEIPTS = ("found_again", "contested", "double_receipt", "damage", "wrong_plant", "unannounced")
"""Kinds that speak of a plant's receipt; a difference of mass may be of an outside party's word."""
GONE = (
    "The receipt that this case speaks of is not in the hub's books: a restore took it from there, and perhaps from its "
    "plant. If the piece is there and not in that plant's books, it has to be taken in again."
)


@dataclass(frozen=True)
class Since:
    """What a case speaks of as it stands now: line and receipt where there are any, and one sentence that explains it."""

    line: TransferLine | None
    receipt: Row[Any] | None
    settled: str = ""


def read_since(conn: Connection, cases: Sequence[Row[Any]]) -> dict[str, Since]:
    """Case id -> what its plants said since it was opened."""
    receipts = _receipts_of(conn, cases)
    lines = _lines_of(conn, cases, receipts)
    weighed = [lines[case.case_id].material_id for case in cases if case.kind == "mass" and case.case_id in lines]
    pieces = {(row.author, row.material_id): row for row in rows_of(conn, weighed)} if weighed else {}

    @cache
    def limits(receiver: str, lane: str) -> MassLimits:
        return mass_limits(conn, receiver, lane)

    found = {}
    for case in cases:
        line, came = lines.get(case.case_id), receipts.get(case.receipt_id)
        found[case.case_id] = Since(line, came, _settled(case, line, came, pieces, limits))
    return found


def _receipts_of(conn: Connection, cases: Sequence[Row[Any]]) -> dict[str, Row[Any]]:
    ids = sorted({case.receipt_id for case in cases if case.receipt_id})
    rows = conn.execute(select(receipt).where(receipt.c.receipt_id.in_(ids))) if ids else ()
    return {row.receipt_id: row for row in rows}


def _lines_of(conn: Connection, cases: Sequence[Row[Any]], receipts: Mapping[str, Row[Any]]) -> dict[str, TransferLine]:
    """A case's own line, or the one its receipt was matched to since."""
    keys = {}
    for case in cases:
        of: Any = case if case.shipment_id else receipts.get(case.receipt_id)
        if of is not None and of.shipment_id:
            keys[case.case_id] = (of.shipment_id, of.material_id)
    by_load = lines_of(conn, sorted({load for load, _ in keys.values()}))
    known = {(load, line.material_id): line for load, lines in by_load.items() for line in lines}
    return {case_id: known[key] for case_id, key in keys.items() if key in known}


def _settled(
    case: Row[Any],
    line: TransferLine | None,
    came: Row[Any] | None,
    pieces: Mapping[tuple[str, str], Row[Any]],
    limits: Limits,
) -> str:
    if case.kind in OF_RECEIPTS and case.receipt_id and came is None:
        return GONE
    if line is None:
        return ""
    if case.kind == "short":
        return _short(line)
    if case.kind in ("unannounced", "wrong_plant") and came is not None and not came.provisional:
        how = "declared its departure late" if line.entered == "late" else "listed it"
        return f"{line.sender} {how} with {line.shipment_number}; the receipt is matched."
    if case.kind == "mass":
        return _mass(line, came, pieces.get((line.receiver, line.material_id)), limits)
    return ""


def _short(line: TransferLine) -> str:
    if line.receipt_id is not None:
        return f"{line.receiver} took it in later as {line.own_number}."
    if line.returned_at_ms is not None:
        return f"{line.sender} has it back."
    if line.diverted_at_ms is not None:
        return f"{line.sender} sent it on to another plant."
    if line.withdrawn:
        return f"{line.sender} declared that it never left with {line.shipment_number}."
    return ""


def _mass(line: TransferLine, came: Row[Any] | None, now: Row[Any] | None, limits: Limits) -> str:
    if now is None or came is None or now.mass_g == came.mass_g or now.state != "live":
        return ""
    allowed = limits(line.receiver, f"{line.sender}-{line.receiver}")
    again = compare_mass(line.sender_mass_g, line.sender_basis, now.mass_g, now.mass_basis, allowed)
    verdict = "within" if again.is_within else "still outside"
    return (
        f"{line.receiver} weighed it again: {now.mass_g / 1000:,.0f} kg, {again.difference_g / 1000:+,.0f} kg, "
        f"{verdict} the lane's tolerance."
    )
