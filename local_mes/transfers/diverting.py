"""The sender sends pieces that are on their way to another addressee: the line ends, a new load goes on under the next
custody number. The carrier keeps the steel; a piece that its first addressee refused may go on this way too."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from local_mes.model.domain import Lane
from local_mes.model.numbers import get_scheme, next_number
from local_mes.plant import Plant
from local_mes.transfers import errors
from local_mes.transfers.listed import get_sent_line
from local_mes.transfers.pieces import describe, fitting
from local_mes.transfers.receiving import check_in_force
from local_mes.transfers.shipping import issue_passports
from shared.ids import new_id
from shared.journal.fact import Draft, Occurred
from shared.journal.journal import Work
from shared.material.queries import get_material
from shared.transfers.domain import next_custody_no
from shared.transfers.facts import MaterialShipped, ShipmentLine
from shared.transfers.gate_facts import ShipmentDiverted
from shared.transfers.lines import LineFilter, TransferLine, find_lines
from shared.transfers.queries import custody_numbers, find_shipment
from shared.transfers.told import with_told

HOUR_MS = 3_600_000


@dataclass(frozen=True)
class DivertCommand:
    """Pieces of a load go to another plant; pieces empty: all that are on their way. number empty: the next of ours."""

    command_id: str
    actor: str
    shipment: str
    to: str
    note: str
    pieces: tuple[str, ...] = ()
    number: str = ""
    eta_ms: int | None = None
    occurred_at_ms: int | None = None


def divert(plant: Plant, command: DivertCommand) -> dict[str, Any]:
    """Record the diversion and the load that goes on; answers its shipment_id, number and pieces. Done once."""
    with plant.journal.work() as tx:
        earlier = tx.once(command.command_id)
        if earlier is not None:
            return dict(earlier)
        at_ms = command.occurred_at_ms or tx.now_ms()
        lines = _lines(tx.conn, plant.code, command)
        goes_on = _goes_on(plant, tx, command, lines, at_ms)
        occurred = Occurred(at_ms, "manual")
        for line in lines:
            ended = ShipmentDiverted(
                shipment_id=line.shipment_id,
                material_id=line.material_id,
                custody_no=line.custody_no,
                to=command.to,
                new_shipment_id=goes_on.shipment_id,
                new_number=goes_on.number,
                note=command.note,
            )
            subjects = (line.material_id, line.shipment_id)
            tx.record(Draft(ended, subjects, command.actor, occurred, causes=(line.sent_fact,)))
        of_load = (goes_on.shipment_id, *(line.material_id for line in lines))
        tx.record(Draft(goes_on, of_load, command.actor, occurred))
        issue_passports(plant, tx, goes_on, goes_on.lines, command.actor)
        numbers = [line.number for line in lines]
        result = {"shipment_id": goes_on.shipment_id, "number": goes_on.number, "pieces": numbers}
        tx.done(command.command_id, result)
        return result


def _lines(conn: Connection, here: str, command: DivertCommand) -> list[TransferLine]:
    load = find_shipment(conn, command.shipment, sender=here)
    if load is None:
        raise errors.unknown_departure(command.shipment, here)
    if command.to == load.to_plant:
        raise errors.goes_there_already(load.number, command.to)
    if command.to == here:
        raise errors.to_itself(here)
    if command.pieces:
        lines = [get_sent_line(conn, here, load.shipment_id, piece) for piece in dict.fromkeys(command.pieces)]
    else:
        listed = with_told(conn, find_lines(conn, LineFilter(sender=here, shipment_id=load.shipment_id)))
        lines = [line for line in listed if is_on_the_way(line)]
    for line in lines:
        _check(conn, line)
    if not lines:
        raise errors.empty_load(load.number)
    return lines


def is_on_the_way(line: TransferLine) -> bool:
    """Whether its sender may still send it elsewhere, back or away; a piece refused at the gate is on its way too."""
    said = (line.receipt_id, line.returned_at_ms, line.lost_at_ms)
    return not line.withdrawn and all(word is None for word in said)


def _check(conn: Connection, line: TransferLine) -> None:
    if line.receipt_id is not None:
        raise errors.taken_by_addressee(line.number, line.receiver, line.own_number or "")
    if not is_on_the_way(line):
        raise errors.not_on_the_way(line.number, line.state)
    check_in_force(conn, line)


def _goes_on(plant: Plant, tx: Work, command: DivertCommand, lines: list[TransferLine], at_ms: int) -> MaterialShipped:
    """The load to the new addressee: same vehicle, same positions, on its way since the first departure; each piece with
    what is known of it now. So a piece that came to the new addressee before its sender said so is this line's too."""
    lane = next((lane for lane in plant.model.lane if lane.to == command.to), None)
    return MaterialShipped(
        shipment_id=new_id(plant.clock),
        number=_number(plant, tx, command),
        to=command.to,
        lane=lane.code if lane is not None else f"{plant.code}-{command.to}",
        mode=lines[0].mode,
        vehicle=lines[0].vehicle,
        carrier=lines[0].carrier,
        departed_at_ms=min(line.departed_at_ms for line in lines),
        eta_ms=command.eta_ms or _eta(plant, command, lane, at_ms),
        lines=fitting(_line(tx.conn, plant.code, line) for line in lines),
    )


def _line(conn: Connection, here: str, line: TransferLine) -> ShipmentLine:
    return ShipmentLine(
        piece=describe(conn, get_material(conn, here, line.material_id)),
        position=line.position,
        custody_no=next_custody_no(custody_numbers(conn, line.material_id)),
    )


def _eta(plant: Plant, command: DivertCommand, lane: Lane | None, at_ms: int) -> int:
    """By the lane's usual hours; where the model has no way from here, the person must say when it is expected."""
    if lane is None:
        raise errors.no_eta(command.to, plant.code)
    return at_ms + int(lane.hours * HOUR_MS)


def _number(plant: Plant, tx: Work, command: DivertCommand) -> str:
    if not command.number:
        return next_number(tx, get_scheme(plant.model, f"{plant.code}.shipment"))
    if find_shipment(tx.conn, command.number, sender=plant.code) is not None:
        raise errors.number_used(command.number)
    return command.number
