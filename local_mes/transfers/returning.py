"""A piece that is not taken: refused at the gate by the addressee, had back by its sender, given up by both."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from local_mes.plant import Plant
from local_mes.transfers import errors
from local_mes.transfers.listed import check_not_taken, get_announced_line, get_sent_line
from local_mes.transfers.receiving import check_in_force
from shared.journal.fact import Draft, Occurred
from shared.journal.journal import Work
from shared.material.queries import find_material
from shared.outside.queries import find_party
from shared.transfers.domain import next_custody_no
from shared.transfers.facts import MaterialLost, MaterialRefused, MaterialReturned
from shared.transfers.lines import TransferLine
from shared.transfers.queries import custody_numbers, find_shipment
from shared.transfers.words import find_words


@dataclass(frozen=True)
class LineCommand:
    """What somebody says of one piece of a load. note: why; place: where a returned piece lies now; contradicts: it is said
    knowing that another plant says that it took the piece in."""

    command_id: str
    actor: str
    shipment: str
    piece: str
    note: str
    place: str = ""
    occurred_at_ms: int | None = None
    contradicts: bool = False


def refuse(plant: Plant, command: LineCommand) -> dict[str, Any]:
    """Send a piece away at the gate: it stays the carrier's, on its way back, on the sender's account."""
    with plant.journal.work() as tx:
        earlier = tx.once(command.command_id)
        if earlier is not None:
            return dict(earlier)
        line = get_announced_line(tx.conn, plant.code, command.shipment, command.piece)
        if line.receipt_id is not None:
            raise errors.received_already(line.number, line.own_number or "")
        check_not_taken(tx.conn, plant.code, line)
        check_in_force(tx.conn, line)
        if line.withdrawn or line.refused_at_ms is not None or line.returned_at_ms is not None:
            raise errors.not_on_the_way(line.number, line.state)
        fact = MaterialRefused(
            shipment_id=line.shipment_id,
            from_plant=line.sender,
            material_id=line.material_id,
            custody_no=line.custody_no,
            printed_number=command.piece,
            reason=command.note,
        )
        return _say(tx, command, fact, line)


def take_back(plant: Plant, command: LineCommand) -> dict[str, Any]:
    """A piece that left is here again, whoever sent it back: custody is ours under the next number."""
    with plant.journal.work() as tx:
        earlier = tx.once(command.command_id)
        if earlier is not None:
            return dict(earlier)
        line = get_sent_line(tx.conn, plant.code, command.shipment, command.piece)
        taken = line.receipt_id is not None and find_party(tx.conn, plant.code, line.receiver) is None
        if taken and not command.contradicts:
            raise errors.taken_by_addressee(line.number, line.receiver, line.own_number or "")
        row = find_material(tx.conn, plant.code, line.material_id)
        if row is None or row.state != "shipped" or line.withdrawn or line.returned_at_ms is not None:
            raise errors.not_on_the_way(
                line.number, row.state if row is not None and row.state != "shipped" else line.state
            )
        fact = MaterialReturned(
            shipment_id=line.shipment_id,
            material_id=line.material_id,
            custody_no=next_custody_no(custody_numbers(tx.conn, line.material_id)),
            place=command.place,
            note=command.note,
        )
        return _say(tx, command, fact, line)


def write_off(plant: Plant, command: LineCommand) -> dict[str, Any]:
    """Give a piece up that is on its way; it is written off once the other side has said so too."""
    with plant.journal.work() as tx:
        earlier = tx.once(command.command_id)
        if earlier is not None:
            return dict(earlier)
        ours = find_shipment(tx.conn, command.shipment, sender=plant.code) is not None
        find = get_sent_line if ours else get_announced_line
        line = find(tx.conn, plant.code, command.shipment, command.piece)
        if line.receipt_id is not None or line.withdrawn or line.returned_at_ms is not None:
            raise errors.not_on_the_way(line.number, line.state)
        said = find_words(tx.conn, "lost", shipment_id=line.shipment_id, material_id=line.material_id)
        if any(word.author == plant.code for word in said):
            raise errors.not_on_the_way(line.number, "written_off")
        check_not_taken(tx.conn, plant.code, line)
        check_in_force(tx.conn, line)
        fact = MaterialLost(
            shipment_id=line.shipment_id,
            from_plant=line.sender,
            material_id=line.material_id,
            custody_no=line.custody_no + 1,
            note=command.note,
        )
        return _say(tx, command, fact, line) | {"by_both": bool(said)}


def _say(
    tx: Work, command: LineCommand, fact: MaterialRefused | MaterialReturned | MaterialLost, line: TransferLine
) -> dict[str, Any]:
    at_ms = command.occurred_at_ms or tx.now_ms()
    subjects = (line.material_id, line.shipment_id)
    tx.record(Draft(fact, subjects, command.actor, Occurred(at_ms, "manual"), causes=(line.sent_fact,)))
    result = {"shipment_id": line.shipment_id, "material_id": line.material_id, "number": line.number}
    tx.done(command.command_id, result)
    return result
