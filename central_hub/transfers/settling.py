"""What the plants said after a case was opened: shown beside it, so that a person can end it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row

from shared.material.queries import find_material
from shared.transfers.domain import compare_mass
from shared.transfers.limits import mass_limits
from shared.transfers.lines import LineFilter, TransferLine, find_lines
from shared.transfers.queries import find_receipt


def find_line_of(conn: Connection, case: Row[Any], receipt: Row[Any] | None) -> TransferLine | None:
    """The line a case speaks of: its own, or the one its receipt was matched to since."""
    shipment_id, material_id = case.shipment_id, case.material_id
    if not shipment_id and receipt is not None:
        shipment_id, material_id = receipt.shipment_id, receipt.material_id
    if not shipment_id:
        return None
    return next(iter(find_lines(conn, LineFilter(shipment_id=shipment_id, material_id=material_id))), None)


def find_settled(conn: Connection, case: Row[Any]) -> str:
    """One sentence when later facts explain the case, else empty."""
    receipt = find_receipt(conn, case.receipt_id) if case.receipt_id else None
    line = find_line_of(conn, case, receipt)
    if line is None:
        return ""
    if case.kind == "short":
        return _short(line)
    if case.kind in ("unannounced", "wrong_plant") and receipt is not None and not receipt.provisional:
        how = "declared its departure late" if line.entered == "late" else "listed it"
        return f"{line.sender} {how} with {line.shipment_number}; the receipt is matched."
    if case.kind == "mass":
        return _mass(conn, line, receipt)
    return ""


def _short(line: TransferLine) -> str:
    if line.receipt_id is not None:
        return f"{line.receiver} took it in later as {line.own_number}."
    if line.withdrawn:
        return f"{line.sender} declared that it never left with {line.shipment_number}."
    return ""


def _mass(conn: Connection, line: TransferLine, receipt: Row[Any] | None) -> str:
    now = find_material(conn, line.receiver, line.material_id)
    if now is None or receipt is None or now.mass_g == receipt.mass_g or now.state != "live":
        return ""
    limits = mass_limits(conn, line.receiver, f"{line.sender}-{line.receiver}")
    again = compare_mass(line.sender_mass_g, line.sender_basis, now.mass_g, now.mass_basis, limits)
    verdict = "within" if again.is_within else "still outside"
    return (
        f"{line.receiver} weighed it again: {now.mass_g / 1000:,.0f} kg, {again.difference_g / 1000:+,.0f} kg, "
        f"{verdict} the lane's tolerance."
    )
