"""A planned load leaves with what lies on it; everything is checked again, because hours may lie between."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Connection, Row

from local_mes.plant import Plant
from local_mes.transfers import load_errors
from local_mes.transfers.load_domain import find_load_refusal
from local_mes.transfers.loading import LoadTouch, get_open_plan, look, usual_ms, vehicles_of
from local_mes.transfers.pieces import describe, fitting
from local_mes.transfers.shipping import issue_passports
from shared.journal.fact import Draft, Occurred
from shared.material.queries import find_by_number, get_material
from shared.transfers.domain import next_custody_no
from shared.transfers.facts import MaterialShipped, ShipmentLine
from shared.transfers.plan_queries import loaded_on, pieces_of
from shared.transfers.queries import custody_numbers
from shared.units import G_PER_KG


def depart(plant: Plant, touch: LoadTouch, seen: Collection[str] | None = None) -> dict[str, Any]:
    """Custody of what lies on the load passes to the carrier; what was planned and not loaded stays ours. Done once.

    seen: any number of each piece that the person saw on it, where that was noted without a line; it must be what the
    books say lies on it, for a piece may have been refused since.
    """
    with plant.journal.work() as tx:
        earlier = tx.once(touch.command_id)
        if earlier is not None:
            return dict(earlier)
        plan = get_open_plan(tx.conn, plant.code, touch.shipment)
        rows = pieces_of(tx.conn, plant.code, plan.shipment_id)
        loaded = [row for row in rows if row.loaded_at_ms]
        if not loaded:
            raise load_errors.nothing_loaded(plan.number)
        if seen is not None:
            _check_seen(tx.conn, plan, loaded, seen)
        _check_weight(tx.conn, plant.code, plan, loaded[-1])
        at_ms = touch.occurred_at_ms or tx.now_ms()
        shipped = MaterialShipped(
            shipment_id=plan.shipment_id,
            number=plan.number,
            to=plan.to_plant,
            lane=plan.lane,
            mode=plan.mode,
            vehicle=plan.vehicle,
            carrier=plan.carrier,
            departed_at_ms=at_ms,
            eta_ms=plan.eta_ms or at_ms + usual_ms(plant, plan),
            lines=fitting(_line(tx.conn, plan, row) for row in loaded),
        )
        subjects = (plan.shipment_id, *(row.material_id for row in loaded))
        tx.record(Draft(shipped, subjects, touch.actor, Occurred(at_ms, "manual")))
        issue_passports(plant, tx, shipped, shipped.lines, touch.actor)
        stays = [row.number for row in rows if not row.loaded_at_ms]
        mass_g = sum(line.piece.mass.g for line in shipped.lines)
        result = {"shipment_id": plan.shipment_id, "number": plan.number, "pieces": len(loaded), "mass_g": mass_g}
        tx.done(touch.command_id, result | {"stays": stays})
        return result | {"stays": stays}


def _line(conn: Connection, plan: Row[Any], row: Row[Any]) -> ShipmentLine:
    piece = get_material(conn, plan.author, row.material_id)
    refusal = find_load_refusal(look(conn, plan, piece))
    if refusal is not None:
        raise refusal
    place = row.vehicle if row.vehicle != plan.vehicle else ""
    return ShipmentLine(
        piece=describe(conn, piece),
        position=" ".join(filter(None, (place, row.position))),
        custody_no=next_custody_no(custody_numbers(conn, row.material_id)),
    )


def _check_seen(conn: Connection, plan: Row[Any], loaded: Sequence[Row[Any]], seen: Collection[str]) -> None:
    known = {number: {row.material_id for row in find_by_number(conn, number, plan.author)} for number in seen}
    booked = {row.material_id for row in loaded}
    missing = [number for number, ids in known.items() if not ids & booked]
    ids_seen = {one for ids in known.values() for one in ids}
    unseen = [row.number for row in loaded if row.material_id not in ids_seen]
    if missing or unseen:
        raise load_errors.other_pieces(plan.number, missing, unseen)


def _check_weight(conn: Connection, here: str, plan: Row[Any], last: Row[Any]) -> None:
    """A piece may have been weighed again since it was loaded: the masses of now count."""
    lies = Counter(loaded_on(conn, here, plan.vehicle))
    for row in pieces_of(conn, here, plan.shipment_id):
        if row.loaded_at_ms:
            lies[row.vehicle] += get_material(conn, here, row.material_id).mass_g - row.mass_g
    for vehicle in vehicles_of(plan):
        if vehicle.limit_g and lies[vehicle.code] > vehicle.limit_g:
            on_it = (lies[vehicle.code] - last.mass_g) // G_PER_KG
            limit = vehicle.limit_g // G_PER_KG
            raise load_errors.over_limit(vehicle.code, limit, on_it, last.number, last.mass_g // G_PER_KG)
