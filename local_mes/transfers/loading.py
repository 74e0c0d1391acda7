"""A load before it leaves: planned, loaded piece by piece, announced, cancelled. Custody is ours all the while."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import Connection, Row

from local_mes.model.numbers import get_scheme, next_number, pass_number
from local_mes.plant import Plant
from local_mes.transfers import errors, load_errors
from local_mes.transfers.load_domain import LoadCandidate, choose_vehicle, find_load_refusal
from local_mes.transfers.pieces import candidate, describe
from local_mes.transfers.shipping import HOUR_MS, find_lane
from shared.ids import new_id
from shared.journal.fact import Draft, Occurred
from shared.journal.journal import Work
from shared.material.queries import get_material, get_piece
from shared.orders.queries import find_order
from shared.transfers.plan_facts import (
    LoadVehicle,
    PieceLoaded,
    PieceUnloaded,
    PlannedPiece,
    ShipmentAnnounced,
    ShipmentCancelled,
    ShipmentPlanned,
)
from shared.transfers.plan_queries import find_other_load, find_plan, loaded_on, pieces_of
from shared.transfers.queries import find_shipment
from shared.units import G_PER_KG


@dataclass(frozen=True)
class PlanCommand:
    """A load that is to leave. vehicles: (code, limit in kg; 0: the lane's); none: the truck itself. number empty: the
    next of ours; shipment: the plan that this one replaces; carrier empty: the lane's."""

    command_id: str
    actor: str
    to: str
    vehicle: str
    lane: str = ""
    mode: str = ""
    number: str = ""
    vehicles: tuple[tuple[str, int], ...] = ()
    pieces: tuple[str, ...] = ()
    eta_ms: int = 0
    shipment: str = ""
    carrier: str = ""


@dataclass(frozen=True)
class LoadTouch:
    """One touch at a load. piece by any number; vehicle empty: the first with room; note: why it is taken off."""

    command_id: str
    actor: str
    shipment: str
    piece: str = ""
    vehicle: str = ""
    position: str = ""
    note: str = ""
    occurred_at_ms: int | None = None


def plan_load(plant: Plant, command: PlanCommand) -> dict[str, Any]:
    """Say what is to leave; told again with its shipment it replaces the plan. Done once for a command id."""
    with plant.journal.work() as tx:
        earlier = tx.once(command.command_id)
        if earlier is not None:
            return dict(earlier)
        lane = find_lane(plant, command.to, command.lane, command.mode)
        before = get_open_plan(tx.conn, plant.code, command.shipment) if command.shipment else None
        rows = [get_piece(tx.conn, number, plant.code) for number in dict.fromkeys(command.pieces)]
        fact = ShipmentPlanned(
            shipment_id=before.shipment_id if before is not None else new_id(plant.clock),
            number=before.number if before is not None else _number(plant, tx, command.number),
            to=command.to,
            lane=lane.code,
            mode=command.mode or lane.mode,
            vehicle=command.vehicle,
            vehicles=_vehicles(command, lane.limit_kg),
            pieces=tuple(PlannedPiece(material_id=x.material_id, number=x.number, mass_g=x.mass_g) for x in rows),
            eta_ms=command.eta_ms,
            carrier=command.carrier or lane.carrier,
        )
        result = {"shipment_id": fact.shipment_id, "number": fact.number, "pieces": len(rows)}
        return _say(tx, command, fact, fact.shipment_id, result)


def load_piece(plant: Plant, touch: LoadTouch) -> dict[str, Any]:
    """Put a piece on the vehicle; refused by the first rule that forbids it. Done once for a command id."""
    with plant.journal.work() as tx:
        earlier = tx.once(touch.command_id)
        if earlier is not None:
            return dict(earlier)
        plan = get_open_plan(tx.conn, plant.code, touch.shipment)
        row = get_piece(tx.conn, touch.piece, plant.code)
        for one in pieces_of(tx.conn, plant.code, plan.shipment_id):
            if one.material_id == row.material_id and one.loaded_at_ms:
                raise load_errors.loaded_already(row.number, plan.number)
        wanted = look(tx.conn, plan, row)
        refusal = find_load_refusal(wanted)
        if refusal is not None:
            raise refusal
        loaded = loaded_on(tx.conn, plant.code, plan.vehicle)
        fact = PieceLoaded(
            shipment_id=plan.shipment_id,
            material_id=row.material_id,
            number=row.number,
            vehicle=choose_vehicle(vehicles_of(plan), loaded, wanted, touch.vehicle),
            mass_g=row.mass_g,
            position=touch.position,
        )
        result = {"number": row.number, "load": plan.number, "vehicle": fact.vehicle, "mass_g": row.mass_g}
        return _say(tx, touch, fact, row.material_id, result)


def unload_piece(plant: Plant, touch: LoadTouch) -> dict[str, Any]:
    """Take a piece off the vehicle, or off the plan. Done once for a command id."""
    with plant.journal.work() as tx:
        earlier = tx.once(touch.command_id)
        if earlier is not None:
            return dict(earlier)
        plan = get_open_plan(tx.conn, plant.code, touch.shipment)
        pieces = {one.number: one for one in pieces_of(tx.conn, plant.code, plan.shipment_id)}
        one = pieces.get(touch.piece) or pieces.get(get_piece(tx.conn, touch.piece, plant.code).number)
        if one is None:
            raise load_errors.not_on_it(touch.piece, plan.number)
        fact = PieceUnloaded(shipment_id=plan.shipment_id, material_id=one.material_id, reason=touch.note)
        return _say(tx, touch, fact, one.material_id, {"number": one.number, "load": plan.number})


def announce(plant: Plant, touch: LoadTouch) -> dict[str, Any]:
    """Tell the addressee what is about to leave, with all its data: what lies on the load, else what is planned."""
    with plant.journal.work() as tx:
        earlier = tx.once(touch.command_id)
        if earlier is not None:
            return dict(earlier)
        plan = get_open_plan(tx.conn, plant.code, touch.shipment)
        rows = pieces_of(tx.conn, plant.code, plan.shipment_id)
        told = [row for row in rows if row.loaded_at_ms] or rows
        if not told:
            raise errors.empty_load(plan.number)
        fact = ShipmentAnnounced(
            shipment_id=plan.shipment_id,
            number=plan.number,
            to=plan.to_plant,
            vehicle=plan.vehicle,
            eta_ms=plan.eta_ms or tx.now_ms() + usual_ms(plant, plan),
            pieces=tuple(
                describe(tx.conn, get_material(tx.conn, plant.code, row.material_id), with_way=False) for row in told
            ),
        )
        return _say(tx, touch, fact, plan.shipment_id, {"number": plan.number, "pieces": len(told)})


def cancel_load(plant: Plant, touch: LoadTouch) -> dict[str, Any]:
    """The load does not leave; its pieces are free again, and an announcement of it is taken back."""
    with plant.journal.work() as tx:
        earlier = tx.once(touch.command_id)
        if earlier is not None:
            return dict(earlier)
        plan = get_open_plan(tx.conn, plant.code, touch.shipment)
        fact = ShipmentCancelled(shipment_id=plan.shipment_id, reason=touch.note)
        return _say(tx, touch, fact, plan.shipment_id, {"number": plan.number})


def look(conn: Connection, plan: Row[Any], row: Row[Any]) -> LoadCandidate:
    """What decides whether a piece may lie on a load."""
    order = find_order(conn, row.author, row.order_item) if row.order_item not in ("", "stock") else None
    grade = order.grade if order is not None else ""
    other = find_other_load(conn, row.author, row.material_id, plan.shipment_id)
    return LoadCandidate(candidate(conn, row), row.mass_g, grade, other)


def get_open_plan(conn: Connection, here: str, shipment: str) -> Row[Any]:
    """A plan that still stands; says why where it does not."""
    plan = find_plan(conn, here, shipment)
    if plan is None:
        raise load_errors.unknown_plan(shipment, here)
    if plan.state != "open":
        raise load_errors.not_open(plan.number, plan.state)
    return plan


def vehicles_of(plan: Row[Any]) -> tuple[LoadVehicle, ...]:
    """The vehicles of a plan with their limits."""
    return msgspec.json.decode(plan.vehicles, type=tuple[LoadVehicle, ...])


def usual_ms(plant: Plant, plan: Row[Any]) -> int:
    """How long the way of a plan usually takes."""
    return int(find_lane(plant, plan.to_plant, plan.lane, plan.mode).hours * HOUR_MS)


def _say(
    tx: Work,
    command: PlanCommand | LoadTouch,
    fact: ShipmentPlanned | PieceLoaded | PieceUnloaded | ShipmentAnnounced | ShipmentCancelled,
    about: str,
    result: dict[str, Any],
) -> dict[str, Any]:
    at_ms = (command.occurred_at_ms if isinstance(command, LoadTouch) else None) or tx.now_ms()
    subjects = tuple(dict.fromkeys((fact.shipment_id, about)))
    tx.record(Draft(fact, subjects, command.actor, Occurred(at_ms, "manual")))
    tx.done(command.command_id, result)
    return result


def _vehicles(command: PlanCommand, usual_kg: int) -> tuple[LoadVehicle, ...]:
    given = command.vehicles or ((command.vehicle, 0),)
    codes = [code for code, _ in given]
    for code in codes:
        if codes.count(code) > 1:
            raise load_errors.vehicle_twice(code)
    return tuple(LoadVehicle(code=code, limit_g=(limit or usual_kg) * G_PER_KG) for code, limit in given)


def _number(plant: Plant, tx: Work, number: str) -> str:
    scheme = plant.model.find_scheme(f"{plant.code}.shipment")
    if not number:
        return next_number(tx, get_scheme(plant.model, f"{plant.code}.shipment"))
    if scheme is not None:
        pass_number(tx, scheme, number)
    if find_plan(tx.conn, plant.code, number) is not None:
        raise load_errors.number_planned(number)
    if find_shipment(tx.conn, number, sender=plant.code) is not None:
        raise errors.number_used(number)
    return number
