"""Use cases of the yard: move, weigh, scrap, take over a stock. Each is done once for its command id."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row

from local_mes.centre.service import check_ours
from local_mes.model.domain import PlantModel
from local_mes.model.numbers import pass_number
from local_mes.plant import Plant
from local_mes.stock import errors
from local_mes.stock.domain import StockRow, faults_of, is_mass, is_place
from local_mes.stock.yard_domain import as_recorded, find_spot
from local_mes.stock.yard_reads import would_break
from shared.centre.facts import DISPOSITION
from shared.ids import derived_id
from shared.journal.fact import Draft, Occurred, Payload
from shared.journal.journal import Work
from shared.material.facts import (
    Mass,
    MaterialCreated,
    MaterialMoved,
    MaterialScrapped,
    MaterialWeighed,
    NewAlias,
    NewMaterial,
    Size,
)
from shared.material.pack_facts import PACK_KIND
from shared.material.queries import get_piece, live_numbers
from shared.quality.queries import open_holds
from shared.transfers.told import check_not_elsewhere


@dataclass(frozen=True)
class Command:
    """Who asks for it, under which id, and when it happened (ms; None: now)."""

    command_id: str
    actor: str
    at_ms: int | None = None

    def occurred(self, plant: Plant, tx: Work) -> Occurred:
        """When it is claimed to have happened."""
        when = tx.now_ms() if self.at_ms is None else self.at_ms
        return Occurred(when, "manual", plant.model.calendar.offset_min(when))


def move(plant: Plant, command: Command, number: str, place: str) -> dict[str, Any]:
    """A piece is somewhere else now. A hold never stops a crane; a rule of the yard stops a person's command."""
    with plant.journal.work() as tx:
        if (earlier := tx.once(command.command_id)) is not None:
            return dict(earlier)
        check_place(plant.model, place)
        piece = _get_here(tx.conn, plant.code, number)
        place = _check_yard(plant, tx, command, piece, place)
        if piece.place != place:
            _record(plant, tx, command, MaterialMoved(material_id=piece.material_id, place=place), piece.material_id)
        return _done(tx, command, piece, place=place)


def weigh(plant: Plant, command: Command, number: str, mass_g: int, scale: str = "") -> dict[str, Any]:
    """A piece was weighed (again); older masses stay in its history."""
    with plant.journal.work() as tx:
        if (earlier := tx.once(command.command_id)) is not None:
            return dict(earlier)
        if not is_mass(mass_g):
            raise errors.bad_mass(mass_g)
        piece = _get_here(tx.conn, plant.code, number)
        mass = Mass(mass_g, "weighed", scale, command.occurred(plant, tx).at_ms)
        weighed = MaterialWeighed(material_id=piece.material_id, mass=mass, reason="weighed by hand")
        _record(plant, tx, command, weighed, piece.material_id)
        return _done(tx, command, piece, mass_g=mass_g, was_g=piece.mass_g)


def scrap(plant: Plant, command: Command, number: str, reason: str) -> dict[str, Any]:
    """A piece ends as scrap."""
    with plant.journal.work() as tx:
        if (earlier := tx.once(command.command_id)) is not None:
            return dict(earlier)
        if not reason.strip():
            raise errors.no_reason()
        piece = _get_here(tx.conn, plant.code, number)
        if piece.kind == PACK_KIND:
            raise errors.pack_first(piece.number)
        if open_holds(tx.conn, piece.material_id):
            check_ours(plant, tx.conn, DISPOSITION)  # to scrap what is held is to decide about it
        scrapped = MaterialScrapped(material_id=piece.material_id, mass_g=piece.mass_g, reason=reason.strip())
        _record(plant, tx, command, scrapped, piece.material_id)
        return _done(tx, command, piece, state="scrapped")


def take_over(plant: Plant, command: Command, rows: Sequence[StockRow]) -> dict[str, Any]:
    """The stock of a plant at its go-live, whole or not at all; a supplier's piece is purchased, every other migrated."""
    with plant.journal.work() as tx:
        if (earlier := tx.once(command.command_id)) is not None:
            return dict(earlier)
        taken = live_numbers(tx.conn, plant.code, [row.number for row in rows])
        faults = faults_of(rows, places_of(plant.model), taken)
        if faults:
            raise errors.bad_rows(faults)
        occurred = command.occurred(plant, tx)
        ids = [_take_in(plant, tx, command, occurred, index, row) for index, row in enumerate(rows, start=1)]
        result = {"taken_in": len(ids), "material_ids": ids}
        tx.done(command.command_id, result)
    return result


def check_place(model: PlantModel, place: str) -> None:
    """Refuse a place that begins with no unit or area of the plant."""
    known = places_of(model)
    if not is_place(place, known):
        raise errors.unknown_place(place, sorted(known))


def _check_yard(plant: Plant, tx: Work, command: Command, piece: Row[Any], place: str) -> str:
    """The place as it is recorded; refused by the name of the first rule of the yard that it breaks."""
    spot = find_spot(place, plant.model.storage)
    if spot is None:
        return place
    if spot.text != piece.place:
        broken = would_break(tx.conn, plant, piece, spot, command.occurred(plant, tx).at_ms)
        if broken:
            raise errors.breaks_rule(piece.number, place, broken)
    return spot.text


def places_of(model: PlantModel) -> Collection[str]:
    """Codes of units and areas: what a place begins with."""
    return {unit.code for unit in model.unit} | {area.code for area in model.area}


def _get_here(conn: Connection, plant: str, number: str) -> Row[Any]:
    piece = get_piece(conn, number, plant)
    if piece.state != "live":
        raise errors.not_here(number, piece.state)
    check_not_elsewhere(conn, piece.number, piece.material_id, plant)
    return piece


def _record(plant: Plant, tx: Work, command: Command, payload: Payload, material_id: str) -> None:
    tx.record(
        Draft(payload=payload, subjects=(material_id,), actor=command.actor, occurred=command.occurred(plant, tx))
    )


def _done(tx: Work, command: Command, piece: Row[Any], **more: Any) -> dict[str, Any]:
    result = {"number": piece.number, "material_id": piece.material_id, **more}
    tx.done(command.command_id, result)
    return result


def _take_in(plant: Plant, tx: Work, command: Command, occurred: Occurred, index: int, row: StockRow) -> str:
    material_id = derived_id(occurred.at_ms, plant.code, "take-over", command.command_id, index)
    piece = NewMaterial(
        material_id=material_id,
        kind=row.kind,
        aliases=(new_alias(plant, tx, row.kind, row.number),),
        grade=row.grade,
        mass=Mass(row.mass_g, row.mass_basis, "", occurred.at_ms),
        size=Size(row.thickness_um, row.width_um, row.length_um),
        order_item=row.order_item or "stock",
        place=as_recorded(row.place, plant.model.storage),
        attributes={"supplier": row.supplier} if row.supplier else {},
    )
    fact = MaterialCreated(
        material=piece,
        origin="purchased" if row.supplier else "migrated",
        chemistry_e6=dict(row.chemistry),
        heat_number=row.heat,
    )
    tx.record(Draft(payload=fact, subjects=(material_id,), actor=command.actor, occurred=occurred))
    return material_id


def new_alias(plant: Plant, tx: Work, kind: str, number: str) -> NewAlias:
    """A number that came from elsewhere, under the scheme it is written in; the scheme's counter goes past it."""
    for scheme in plant.model.numbering:
        if scheme.find_counter(number) is not None:
            pass_number(tx, scheme, number)
            return NewAlias(scheme.code, number)
    return NewAlias(f"{plant.code}.{kind}", number)
