"""When the sender's data arrives after the steel: provisional receipts are tied to its lines by the printed number."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row

from local_mes.plant import Plant
from local_mes.transfers import errors
from local_mes.transfers.amending import note_amendments
from local_mes.transfers.believing import find_believed
from local_mes.transfers.checking import ACTOR, check_mass, inherit_holds
from local_mes.transfers.confirming import confirm
from local_mes.transfers.finishing import find_torn, finish
from local_mes.transfers.listed import check_not_taken, get_announced_line
from local_mes.transfers.receiving import check_in_force, new_row
from local_mes.transfers.routing import own_attributes
from local_mes.transfers.waiting import end_waiting, identification
from shared.db.engine import read
from shared.ids import derived_id
from shared.journal.fact import Draft, Occurred
from shared.journal.journal import Work
from shared.material.facts import Mass, NewAlias
from shared.material.queries import aliases_of, find_material
from shared.transfers.domain import Candidate, find_line
from shared.transfers.facts import PieceData, ReceiptMatched
from shared.transfers.lines import LineFilter, TransferLine, find_lines
from shared.transfers.queries import departure_in_force, find_receipt, find_receipts, get_piece

PENDING_MAX = 1_000
"""Provisional receipts looked at in one go: far above a day's trains without data."""


def match_pending(plant: Plant) -> int:
    """Tie provisional receipts whose sender's line is known by now; returns how many. Nothing to do writes nothing.

    What a restore tore of receipts is finished first: it may be what the next tie stands on.
    """
    with read(plant.node.engine) as conn:
        torn = find_torn(conn, plant)
        if not torn and not any(_find(conn, plant, row) for row in _pending(conn, plant.code)):
            return 0
    with plant.journal.work() as tx:
        for row in find_torn(tx.conn, plant):
            finish(plant, tx, row)
        return match_in(plant, tx)


def match_in(plant: Plant, tx: Work) -> int:
    """The same inside a running transaction."""
    matched = 0
    for row in _pending(tx.conn, plant.code):
        line = _find(tx.conn, plant, row)
        if line is not None and row.custody_no:
            confirm(plant, tx, row, line)
            matched += 1
        elif line is not None:
            _tie(plant, tx, row, line, f"printed number {row.printed_number} on {line.shipment_number}")
            matched += 1
    return matched


def match_by_hand(
    plant: Plant, receipt_id: str, shipment: str, piece: str, *, note: str, actor: str, command_id: str
) -> dict[str, Any]:
    """Tie a waiting receipt to a line whose number it does not bear, on a person's word: it was renamed on the way.

    The number that it came with stays one of its names. Done once for a command id.
    """
    with plant.journal.work() as tx:
        earlier = tx.once(command_id)
        if earlier is not None:
            return dict(earlier)
        row = find_receipt(tx.conn, receipt_id)
        if row is None or row.author != plant.code or not row.provisional:
            raise errors.not_waiting(receipt_id)
        line = get_announced_line(tx.conn, plant.code, shipment, piece)
        if line.receipt_id is not None:
            raise errors.received_already(line.number, line.own_number or "")
        check_in_force(tx.conn, line)
        _tie_by_hand(plant, tx, row, line, note, actor)
        result = {"receipt_id": receipt_id, "material_id": line.material_id, "number": line.number}
        tx.done(command_id, result)
        return result


def _tie_by_hand(plant: Plant, tx: Work, row: Row[Any], line: TransferLine, note: str, actor: str) -> None:
    """Tie to this line; what a passport said to be one piece is never another."""
    known = Candidate(
        line.sender,
        line.shipment_id,
        line.shipment_number,
        line.material_id,
        line.departed_at_ms,
        False,
        line.custody_no,
    )
    if not row.custody_no:
        check_not_taken(tx.conn, plant.code, line)
        _tie(plant, tx, row, known, f"found to be {line.number} of {line.shipment_number}: {note}", actor)
    elif row.material_id == line.material_id:
        confirm(plant, tx, row, known, actor)
    else:
        raise errors.known_by_passport(row.own_number, line.number)


def _pending(conn: Connection, here: str) -> list[Row[Any]]:
    # oldest first: where a number was painted twice, the earlier receipt is the earlier load's
    return list(reversed(find_receipts(conn, receiver=here, provisional=True, limit=PENDING_MAX)))


def _find(conn: Connection, plant: Plant, row: Row[Any]) -> Candidate | None:
    """The line that a waiting receipt means; of one by passport, which cites a custody number, the departure it names."""
    candidates = find_believed(conn, plant, [row.printed_number])
    if row.custody_no:
        cited = [c for c in candidates if (c.material_id, c.custody_no) == (row.material_id, row.custody_no)]
        return cited[0] if cited else None
    fit = [one for one in candidates if one.custody_no >= departure_in_force(conn, one.material_id)]
    return find_line(fit, shipment=row.shipment_number, from_plant=row.from_plant, received_at_ms=row.received_at_ms)


def _tie(plant: Plant, tx: Work, row: Row[Any], line: Candidate, evidence: str, actor: str = ACTOR) -> None:
    piece = get_piece(tx.conn, line.sender, line.shipment_id, line.material_id)
    told = find_lines(
        tx.conn, LineFilter(sender=line.sender, shipment_id=line.shipment_id, material_id=line.material_id)
    )[0]
    here = find_material(tx.conn, plant.code, row.taken_in_as)
    mass, place = found_here(row, here)
    at_ms = tx.now_ms()
    attributes = own_attributes(plant, tx.conn, line.sender, piece)
    matched = ReceiptMatched(
        receipt_id=row.receipt_id,
        shipment_id=line.shipment_id,
        material_id=line.material_id,
        custody_no=told.custody_no,
        sender_mass=piece.mass,
        material=new_row(piece, mass, place, aliases_after(tx.conn, row, piece, line.sender), attributes),
    )
    subjects = (line.material_id, row.taken_in_as, row.receipt_id, line.shipment_id)
    occurred = Occurred(at_ms, ACTOR if actor == ACTOR else "manual")
    fact_id = derived_id(row.received_at_ms, plant.code, "matched", row.receipt_id)
    tx.record(
        Draft(matched, subjects, actor, occurred, fact_id=fact_id, causes=(told.sent_fact,)),
        identification(plant, row, line.material_id, evidence, actor, occurred, fact_id),
    )
    end_waiting(tx, row.taken_in_as, at_ms, "the sender's data arrived")
    inherit_holds(plant, tx, line.material_id, piece, row.receipt_id, at_ms)
    note_amendments(plant, tx, line.shipment_id, line.material_id)
    check_mass(plant, tx, line.sender, line.material_id, piece.mass, mass, row.received_at_ms)


def found_here(row: Row[Any], here: Row[Any] | None) -> tuple[Mass, str]:
    """Mass and place of the piece today: it may have been moved or weighed again since it came."""
    if here is None:
        return Mass(row.mass_g, row.mass_basis, row.scale, row.received_at_ms), row.place
    return Mass(here.mass_g, here.mass_basis, here.mass_scale, here.mass_at_ms), here.place


def aliases_after(conn: Connection, row: Row[Any], piece: PieceData, sender: str) -> tuple[NewAlias, ...]:
    """Its numbers here, ours first, and the one that its sender painted on it."""
    given = [NewAlias(a.scheme, a.value) for a in aliases_of(conn, row.taken_in_as) if a.author == row.author]
    given.sort(key=lambda alias: alias.value != row.own_number)
    painted = NewAlias(f"{sender}.{piece.kind}", piece.number)
    return tuple(dict.fromkeys([*given, painted]))
