"""The sender's commands: a load departs; a departure is corrected. Only the custodian may; refusals name the rule."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from local_mes.model.domain import Lane
from local_mes.model.numbers import get_scheme, next_number, pass_number
from local_mes.passports.issuing import Departure, issue
from local_mes.plant import Plant
from local_mes.transfers import errors
from local_mes.transfers.domain import find_refusal
from local_mes.transfers.pieces import candidate, describe, fitting
from shared.ids import new_id
from shared.journal.fact import Draft, Occurred
from shared.journal.journal import Work
from shared.material.queries import find_material
from shared.material.queries import get_piece as get_row
from shared.transfers.domain import next_custody_no
from shared.transfers.facts import DepartureCorrected, MaterialShipped, ShipmentLine
from shared.transfers.lines import LineFilter, TransferLine, find_lines
from shared.transfers.queries import custody_numbers, find_shipment, get_piece
from shared.transfers.told import with_told

HOUR_MS = 3_600_000


@dataclass(frozen=True)
class ListedPiece:
    """A piece by any of its numbers, and where on the vehicle it lies."""

    piece: str
    position: str = ""


@dataclass(frozen=True)
class ShipCommand:
    """A load that leaves now (or left at occurred_at_ms). What is empty comes from the plant model."""

    command_id: str
    actor: str
    number: str
    to: str
    lines: tuple[ListedPiece, ...]
    mode: str = ""
    lane: str = ""
    vehicle: str = ""
    carrier: str = ""
    eta_ms: int | None = None
    occurred_at_ms: int | None = None
    source: str = "manual"


@dataclass(frozen=True)
class CorrectDeparture:
    """The sender's error declaration about one piece of a load that left."""

    command_id: str
    actor: str
    shipment: str
    piece: str
    kind: str
    note: str = ""
    position: str = ""
    occurred_at_ms: int | None = None
    contradicts: bool = False
    """It is said knowing that another plant says that it took the piece in."""


def ship(plant: Plant, command: ShipCommand) -> dict[str, Any]:
    """Record the departure of a load; custody passes to the carrier. Done once for a command id."""
    with plant.journal.work() as tx:
        earlier = tx.once(command.command_id)
        if earlier is not None:
            return dict(earlier)
        at_ms = command.occurred_at_ms or tx.now_ms()
        lane = find_lane(plant, command.to, command.lane, command.mode)
        number = _number(plant, tx, command)
        lines = fitting(_line(tx.conn, plant.code, listed) for listed in command.lines)
        _check_once(lines, number)
        shipment_id = new_id(plant.clock)
        shipped = MaterialShipped(
            shipment_id=shipment_id,
            number=number,
            to=command.to,
            lane=command.lane or lane.code,
            mode=command.mode or lane.mode,
            vehicle=command.vehicle,
            carrier=command.carrier or lane.carrier,
            departed_at_ms=at_ms,
            eta_ms=command.eta_ms or at_ms + int(lane.hours * HOUR_MS),
            lines=lines,
        )
        subjects = (shipment_id, *(line.piece.material_id for line in lines))
        tx.record(Draft(shipped, subjects, command.actor, Occurred(at_ms, command.source)))
        issue_passports(plant, tx, shipped, lines, command.actor)
        result = {
            "shipment_id": shipment_id,
            "number": number,
            "pieces": len(lines),
            "mass_g": sum(line.piece.mass.g for line in lines),
        }
        tx.done(command.command_id, result)
        return result


def correct_departure(plant: Plant, command: CorrectDeparture) -> dict[str, Any]:
    """Declare that a listed piece never left (did_not_occur) or that an unlisted one did (late)."""
    if command.kind not in ("did_not_occur", "late"):
        raise errors.bad_correction(command.kind)
    with plant.journal.work() as tx:
        earlier = tx.once(command.command_id)
        if earlier is not None:
            return dict(earlier)
        load = find_shipment(tx.conn, command.shipment, sender=plant.code)
        if load is None:
            raise errors.unknown_departure(command.shipment, plant.code)
        decide = _late_line if command.kind == "late" else _withdrawn_line
        line = decide(tx.conn, plant.code, load.shipment_id, command)
        at_ms = command.occurred_at_ms or (load.departed_at_ms if command.kind == "late" else tx.now_ms())
        fact = DepartureCorrected(shipment_id=load.shipment_id, kind=command.kind, line=line, note=command.note)
        subjects = (load.shipment_id, line.piece.material_id)
        tx.record(Draft(fact, subjects, command.actor, Occurred(at_ms, "manual")))
        if command.kind == "late":
            issue_passports(plant, tx, load, (line,), command.actor)
        result = {"shipment_id": load.shipment_id, "material_id": line.piece.material_id, "kind": command.kind}
        tx.done(command.command_id, result)
        return result


def issue_passports(plant: Plant, tx: Work, load: Any, lines: tuple[ShipmentLine, ...], actor: str) -> None:
    """Passports of these pieces; load: the departure, or its row."""
    to = load.to if isinstance(load, MaterialShipped) else load.to_plant
    left = Departure(load.shipment_id, load.number, to, load.lane, load.mode, load.vehicle, load.departed_at_ms)
    issue(plant, tx, left, lines, actor)


def find_lane(plant: Plant, to: str, code: str = "", mode: str = "") -> Lane:
    """The plant model's way to a plant: the one named, else one of the mode, else the first."""
    if to == plant.code:
        raise errors.to_itself(plant.code)
    lanes = [lane for lane in plant.model.lane if lane.to == to]
    if not lanes:
        raise errors.no_lane(to, plant.code)
    named = [lane for lane in lanes if lane.code == code]
    if code and not named:
        raise errors.unknown_lane(code, to, [lane.code for lane in lanes])
    moded = [lane for lane in lanes if lane.mode == mode]
    return (named or moded or lanes)[0]


def _number(plant: Plant, tx: Work, command: ShipCommand) -> str:
    """The load's number, one that no load of ours bore before; empty: the next of the plant's scheme."""
    scheme = plant.model.find_scheme(f"{plant.code}.shipment")
    number = command.number
    if not number:
        number = next_number(tx, get_scheme(plant.model, f"{plant.code}.shipment"))
    elif scheme is not None:
        pass_number(tx, scheme, number)
    if not command.lines:
        raise errors.empty_load(number)
    if find_shipment(tx.conn, number, sender=plant.code) is not None:
        raise errors.number_used(number)
    return number


def _check_once(lines: tuple[ShipmentLine, ...], number: str) -> None:
    seen: set[str] = set()
    for line in lines:
        if line.piece.material_id in seen:
            raise errors.twice_on_load(line.piece.number, number)
        seen.add(line.piece.material_id)


def _line(conn: Connection, here: str, listed: ListedPiece) -> ShipmentLine:
    row = get_row(conn, listed.piece, here)
    refusal = find_refusal(candidate(conn, row))
    if refusal is not None:
        raise refusal
    return ShipmentLine(
        piece=describe(conn, row),
        position=listed.position,
        custody_no=next_custody_no(custody_numbers(conn, row.material_id)),
    )


def _late_line(conn: Connection, here: str, shipment_id: str, command: CorrectDeparture) -> ShipmentLine:
    """A departure that happened cannot be refused for its quality; only what is not ours, or is listed, is."""
    row = get_row(conn, command.piece, here)
    known = find_lines(conn, LineFilter(sender=here, shipment_id=shipment_id, material_id=row.material_id))
    if known and not known[0].withdrawn:
        raise errors.already_on_load(row.number, known[0].shipment_number)
    if row.state != "live":
        raise errors.not_live(row.number, row.state)
    return ShipmentLine(
        piece=describe(conn, row),
        position=command.position,
        custody_no=next_custody_no(custody_numbers(conn, row.material_id)),
    )


def _withdrawn_line(conn: Connection, here: str, shipment_id: str, command: CorrectDeparture) -> ShipmentLine:
    line = _listed(conn, here, shipment_id, command.piece)
    if line is None:
        raise errors.not_on_load(command.piece, command.shipment)
    if line.withdrawn:
        raise errors.withdrawn_already(line.number, line.shipment_number)
    row = find_material(conn, here, line.material_id)
    # only what still counts as gone with this very load can be taken back: a later load or use would be undone with it
    last_no = max(custody_numbers(conn, line.material_id))
    if row is None or row.state != "shipped" or last_no != line.custody_no:
        raise errors.left_since(line.number, line.shipment_number)
    if line.receipt_id is not None and not command.contradicts:
        raise errors.taken_by_addressee(line.number, line.receiver, line.own_number or "")
    piece = get_piece(conn, here, shipment_id, line.material_id)
    return ShipmentLine(piece=piece, position=line.position, custody_no=line.custody_no)


def _listed(conn: Connection, here: str, shipment_id: str, piece: str) -> TransferLine | None:
    lines = with_told(conn, find_lines(conn, LineFilter(sender=here, shipment_id=shipment_id)))
    for line in lines:
        if piece in (line.number, line.material_id):
            return line
    known = {line.material_id: line for line in lines}
    return known.get(get_row(conn, piece, here).material_id)
