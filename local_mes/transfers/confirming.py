"""The sender's data arrives after a piece was taken in by its passport: the departure confirms it, or contradicts it.

The receipt has the piece's true identity already, so nothing is merged and nothing that was done with the piece since is
touched: the receipt is tied to the line. A passport that says something else than its departure holds the piece.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row

from local_mes.plant import Plant
from local_mes.transfers.checking import ACTOR, inherit_holds
from shared.ids import derived_id
from shared.journal.fact import Draft, Occurred
from shared.journal.journal import Work
from shared.passports.issuing import differences, told_piece
from shared.passports.queries import find_taken, read_body
from shared.quality.facts import HoldPlaced
from shared.transfers.domain import Candidate
from shared.transfers.facts import PieceData, ReceiptMatched
from shared.transfers.lines import LineFilter, TransferLine, find_lines
from shared.transfers.queries import get_piece

PASSPORT_RULE = "T-PASSPORT"


def confirm(plant: Plant, tx: Work, row: Row[Any], line: Candidate, actor: str = ACTOR) -> None:
    """Tie a receipt by passport to its departure; actor: who found that it is, a person or the job.

    What the sender amended since is answered afterwards (amending.py): the passport could not know it, so it is held.
    """
    piece = get_piece(tx.conn, line.sender, line.shipment_id, line.material_id)
    told = _line(tx.conn, line)
    matched = ReceiptMatched(
        receipt_id=row.receipt_id,
        shipment_id=line.shipment_id,
        material_id=line.material_id,
        custody_no=told.custody_no,
        sender_mass=piece.mass,
    )
    subjects = (line.material_id, row.receipt_id, line.shipment_id)
    fact_id = derived_id(row.received_at_ms, plant.code, "matched", row.receipt_id)
    occurred = Occurred(tx.now_ms(), ACTOR if actor == ACTOR else "manual")
    tx.record(Draft(matched, subjects, actor, occurred, fact_id=fact_id, causes=(told.sent_fact,)))
    inherit_holds(plant, tx, line.material_id, piece, row.receipt_id, row.received_at_ms)
    _compare(plant, tx, row, piece)


def _compare(plant: Plant, tx: Work, row: Row[Any], piece: PieceData) -> None:
    taken = find_taken(tx.conn, row.receipt_id)
    body = read_body(taken.body) if taken is not None else None
    found = differences(told_piece(body), piece) if body is not None else []
    if not found:
        return
    hold = HoldPlaced(
        hold_id=derived_id(row.received_at_ms, plant.code, "passport", row.receipt_id),
        material_id=row.material_id,
        reason=f"its passport says otherwise than its sender's data: {'; '.join(found)}"[:500],
        rule_id=PASSPORT_RULE,
    )
    tx.record(Draft(hold, (row.material_id, hold.hold_id), ACTOR, Occurred(tx.now_ms(), ACTOR)))


def _line(conn: Connection, line: Candidate) -> TransferLine:
    wanted = LineFilter(sender=line.sender, shipment_id=line.shipment_id, material_id=line.material_id)
    return find_lines(conn, wanted)[0]
