"""A piece that was cut on its way: taken in whole, under the number it left with, and cut here on the carrier's behalf."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from local_mes.model.numbers import next_number, pass_number
from local_mes.plant import Plant
from local_mes.transfers import errors
from local_mes.transfers.believing import find_believed
from local_mes.transfers.receiving import ReceiveCommand, take_in_listed
from shared.ids import new_id
from shared.journal.fact import Draft, Occurred
from shared.journal.journal import Work
from shared.material.facts import Consumed, Edge, Mass, MaterialTransformed, NewAlias, NewMaterial, Size
from shared.material.queries import get_material
from shared.transfers.domain import find_line
from shared.units import share_out

CARRIER = "carrier"


@dataclass(frozen=True)
class Part:
    """One part as it came, from the head on; mass in grams; own_number empty: the next of the plant's scheme."""

    mass_g: int
    own_number: str = ""


def receive_parts(plant: Plant, command: ReceiveCommand, parts: Sequence[Part]) -> dict[str, Any]:
    """Take in a listed piece that comes in parts; what they weigh together is what the piece weighed here.

    So parts that do not add up to what left are a difference of mass like any other. Done once for a command id.
    """
    if len(parts) < 2:
        raise errors.no_parts(command.piece)
    with plant.journal.work() as tx:
        earlier = tx.once(command.command_id)
        if earlier is not None:
            return dict(earlier)
        at_ms = command.occurred_at_ms or tx.now_ms()
        candidates = find_believed(tx.conn, plant, [command.piece])
        line = find_line(candidates, shipment=command.shipment, from_plant=command.from_plant, received_at_ms=at_ms)
        if line is None:
            raise errors.not_on_load(command.piece, command.shipment or "any announced load")
        whole = replace(command, mass_g=sum(part.mass_g for part in parts), own_number=command.piece)
        result = take_in_listed(plant, tx, whole, line, at_ms)
        children = _cut(plant, tx, command, line.material_id, parts, at_ms)
        result |= {"parts": [{"material_id": c.material_id, "number": c.aliases[0].value} for c in children]}
        tx.done(command.command_id, result)
        return result


def _cut(
    plant: Plant, tx: Work, command: ReceiveCommand, material_id: str, parts: Sequence[Part], at_ms: int
) -> list[NewMaterial]:
    parent = get_material(tx.conn, plant.code, material_id)
    lengths = share_out(parent.length_um, [part.mass_g for part in parts])
    children = [
        NewMaterial(
            material_id=new_id(plant.clock),
            kind=parent.kind,
            aliases=(NewAlias(f"{plant.code}.{parent.kind}", _number(plant, tx, parent.kind, command, part, at)),),
            mass=Mass(part.mass_g, command.mass_basis, command.scale, at_ms),
            size=Size(parent.thickness_um, parent.width_um, length),
            grade=parent.grade,
            order_item=parent.order_item,
            place=command.place,
            heat_number=parent.heat_number,
        )
        for at, (part, length) in enumerate(zip(parts, lengths, strict=True), start=1)
    ]
    fact = MaterialTransformed(
        operation_id=new_id(plant.clock),
        operation="cut",
        unit=CARRIER,
        started_at_ms=at_ms,
        ended_at_ms=at_ms,
        parents=(Consumed(material_id, parent.mass_g),),
        children=tuple(children),
        edges=_edges(parent, children),
        notes=("cut on the way; booked for the carrier at its receipt",),
    )
    subjects = (material_id, *(child.material_id for child in children))
    tx.record(Draft(fact, subjects, command.actor, Occurred(at_ms, command.source)))
    return children


def _edges(parent: Any, children: Sequence[NewMaterial]) -> tuple[Edge, ...]:
    edges, at_um = [], 0
    for child in children:
        edges.append(
            Edge(
                parent_id=parent.material_id,
                child_id=child.material_id,
                parent_from_um=at_um,
                parent_to_um=at_um + child.size.length_um,
                child_from_um=0,
                child_to_um=child.size.length_um,
                parent_right_um=parent.width_um,
                child_right_um=parent.width_um,
                mass_g=child.mass.g,
            )
        )
        at_um += child.size.length_um
    return tuple(edges)


def _number(plant: Plant, tx: Work, kind: str, command: ReceiveCommand, part: Part, at: int) -> str:
    scheme = plant.model.find_scheme(f"{plant.code}.{kind}")
    if part.own_number:
        if scheme is not None:
            pass_number(tx, scheme, part.own_number)
        return part.own_number
    return next_number(tx, scheme) if scheme is not None else f"{command.piece}/{at}"
