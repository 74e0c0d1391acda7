"""What a sender was told of its pieces at their receivers, and what it may not do with them since.

Away from the line a sender does not know; then it may say of a piece what its receiver's receipt contradicts, and that is
a case. A case that ended as the receiver's error takes the word back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, literal, select

from shared.errors import Refused
from shared.transfers.lines import TransferLine
from shared.transfers.tables import receipt, shipment_line, told_receipt, transfer_case

RECEIVER_ERRED = "receiver_error"
"""End of a case that says that the receipt was none."""


def with_told(conn: Connection, lines: Sequence[TransferLine]) -> list[TransferLine]:
    """Lines of loads that left here, each with what the hub told of its receipt."""
    loads = sorted({line.shipment_id for line in lines})
    t = told_receipt.c
    rows = conn.execute(select(told_receipt).where(t.shipment_id.in_(loads), ~_erred())).all() if loads else []
    told = {(row.shipment_id, row.material_id): row for row in rows}
    return [_as_told(line, told.get((line.shipment_id, line.material_id))) for line in lines]


def find_taken_elsewhere(conn: Connection, material_id: str) -> Row[Any] | None:
    """The receipt of a piece at another plant that no departure or receipt since has overtaken, as far as this plant was
    told. A mere word that it is here again, which may contradict it, does not."""
    query = select(told_receipt).where(told_receipt.c.material_id == material_id, ~_erred())
    row = conn.execute(query.order_by(told_receipt.c.custody_no.desc())).first()
    if row is None or row.custody_no < _last_passed(conn, material_id):
        return None
    return row


def check_not_elsewhere(conn: Connection, number: str, material_id: str, here: str) -> None:
    """Refuse what only the custodian may do with a piece that another plant has taken in."""
    row = find_taken_elsewhere(conn, material_id)
    if row is not None and row.receiver != here:
        raise taken_elsewhere(number, row.receiver, row.own_number)


def taken_elsewhere(number: str, receiver: str, own_number: str) -> Refused:
    """Another plant has it."""
    return Refused(
        "transfers.taken_elsewhere",
        f"{receiver} has taken {number} in, as {own_number}: it is not in our custody.",
        todo="If it stands here, say so in its case: it is ours again once the case ends as the receiver's error.",
    )


def _last_passed(conn: Connection, material_id: str) -> int:
    """The highest custody number known here under which the piece left or came; 0: none."""
    sent = select(shipment_line.c.custody_no).where(shipment_line.c.material_id == material_id)
    came = select(receipt.c.custody_no).where(receipt.c.material_id == material_id)
    return max(conn.execute(sent.union_all(came)).scalars(), default=0)


def _as_told(line: TransferLine, row: Row[Any] | None) -> TransferLine:
    if row is None or line.receipt_id is not None:
        return line
    said = (line.returned_at_ms, line.lost_at_ms)
    state = "received" if not line.withdrawn and all(word is None for word in said) else line.state
    came = {"receipt_id": row.receipt_id, "own_number": row.own_number, "received_at_ms": row.received_at_ms}
    return replace(line, **came, state=state)


def _erred() -> ColumnElement[bool]:
    c, t = transfer_case.c, told_receipt.c
    about = and_(c.material_id == t.material_id, c.shipment_id == t.shipment_id, c.resolution == RECEIVER_ERRED)
    return select(literal(1)).select_from(transfer_case).where(about).correlate(told_receipt).exists()
