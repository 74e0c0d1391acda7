"""A piece that waits here under its painted number is known by its passport, which turned up later: label, papers or file.

It gets its true identity, chemistry, holds and custody number at once, as if it had been taken in by the passport; the
departure itself is still awaited and ties it as it ties those. Mass, place and number stay as they were found here.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row

from local_mes.plant import Plant
from local_mes.transfers.checking import check_mass, inherit_holds
from local_mes.transfers.matching import aliases_after, found_here
from local_mes.transfers.receiving import new_row
from local_mes.transfers.routing import own_attributes
from local_mes.transfers.waiting import end_waiting
from shared.ids import derived_id
from shared.journal.fact import Draft, Occurred
from shared.journal.journal import Work
from shared.material.facts import Mass, MaterialIdentified
from shared.material.queries import find_material
from shared.passports import errors
from shared.passports.document import PieceBody
from shared.passports.issuing import told_piece
from shared.transfers.domain import CLOCK_SLACK_MS, MassLimits, compare_mass
from shared.transfers.facts import ReceiptMatched
from shared.transfers.limits import mass_limits
from shared.transfers.queries import find_receipts


def find_waiting(plant: Plant, conn: Connection, piece: PieceBody, weighed: Mass | None) -> Row[Any] | None:
    """The one receipt here that waits under the number of this piece and can be of it; weighed: its mass here, just now.

    Printed numbers repeat: errors.waits where one waits that cannot be it, or more than one that can.
    """
    waiting = [
        row
        for row in find_receipts(conn, receiver=plant.code, printed_number=piece.number, provisional=True)
        if not row.custody_no
        and row.shipment_number in ("", piece.shipped.number)
        and row.from_plant in ("", piece.shipped.sender)
    ]
    limits = mass_limits(conn, plant.code, f"{piece.shipped.sender}-{plant.code}")
    fit = [row for row in waiting if _can_be(row, piece, weighed, limits)]
    if waiting and len(fit) != 1:
        raise errors.waits(piece.number, waiting[0].own_number)
    return fit[0] if fit else None


def _can_be(row: Row[Any], piece: PieceBody, weighed: Mass | None, limits: MassLimits) -> bool:
    """Whether a receipt is of a piece that had left by then: one of its kind, and of its load, its sender or its mass."""
    if piece.shipped.departed_ms > row.received_at_ms + CLOCK_SLACK_MS or row.kind != piece.kind:
        return False
    if row.shipment_number or row.from_plant:
        return True
    found = [(row.mass_g, row.mass_basis), *([(weighed.g, weighed.basis)] if weighed is not None else [])]
    compared = [compare_mass(piece.mass_g, piece.mass_basis, g, basis, limits) for g, basis in found]
    return piece.mass_g > 0 and all(one.is_within for one in compared)


def know(plant: Plant, tx: Work, row: Row[Any], body: PieceBody, actor: str) -> dict[str, Any]:
    """Give a waiting receipt the identity that a believed passport names; answers as receive() does."""
    piece, sender = told_piece(body), body.shipped.sender
    mass, place = found_here(row, find_material(tx.conn, plant.code, row.taken_in_as))
    attributes = own_attributes(plant, tx.conn, sender, piece)
    matched = ReceiptMatched(
        receipt_id=row.receipt_id,
        shipment_id="",
        material_id=piece.material_id,
        custody_no=body.custody_no,
        sender_mass=piece.mass,
        material=new_row(piece, mass, place, aliases_after(tx.conn, row, piece, sender), attributes),
        provisional=True,
    )
    identified = MaterialIdentified(
        provisional_id=row.taken_in_as,
        material_id=piece.material_id,
        evidence=f"passport of {piece.number} on {body.shipped.number}",
    )
    subjects, occurred = (piece.material_id, row.taken_in_as, row.receipt_id), Occurred(tx.now_ms(), "passport")
    ids = [derived_id(row.received_at_ms, plant.code, verb, row.receipt_id) for verb in ("known", "known_as")]
    tx.record(
        Draft(matched, subjects, actor, occurred, fact_id=ids[0]),
        Draft(identified, subjects[:2], actor, occurred, fact_id=ids[1], causes=(ids[0],)),
    )
    end_waiting(tx, row.taken_in_as, tx.now_ms(), "its passport turned up")
    inherit_holds(plant, tx, piece.material_id, piece, row.receipt_id, row.received_at_ms)
    compared = check_mass(plant, tx, sender, piece.material_id, piece.mass, mass, row.received_at_ms)
    return {
        "receipt_id": row.receipt_id,
        "material_id": piece.material_id,
        "own_number": row.own_number,
        "provisional": True,
        "shipment_id": "",
        "from_plant": sender,
        "likely_from": sender,
        "difference_g": compared.difference_g,
        "flagged": not compared.is_within,
        "route": "",
    }
