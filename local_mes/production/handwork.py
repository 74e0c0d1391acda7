"""Cutting, slitting, cropping, sampling and welding by hand: a person's command, checked, as one operation with edges.

Parts of one piece partition its length or its width; what no part holds is a loss. Masses that nobody gives follow the
part of the piece; what is given must balance within the unit's tolerance.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from msgspec.structs import replace
from sqlalchemy import Row

from local_mes.model.domain import Unit
from local_mes.orders.service import STOCK
from local_mes.performance.tolerances import tolerance_ppm
from local_mes.plant import Plant
from local_mes.production import errors
from local_mes.production.handwork_domain import LOSS_OF, OPERATIONS, Part, edge_of, masses_of, size_of
from local_mes.production.person import Command, carry_out, get_all_usable, new_alias
from local_mes.quality.service import Deed, pass_on_holds
from shared.material.domain import Balance, check_inside, check_partition
from shared.material.facts import Consumed, Edge, Loss, Mass, MaterialTransformed, NewMaterial, Size
from shared.material.pack_facts import PACK_KIND
from shared.material.trace import refuse_cycle
from shared.performance.facts import MeasureCounted
from shared.quality.mixed import read_steel
from shared.units import share_out


@dataclass(frozen=True)
class HandWork:
    """One operation by hand. parts: of the one piece (cut, slit, crop, sample); none for a weld of several pieces."""

    operation: str
    unit: str
    pieces: tuple[str, ...]
    parts: tuple[Part, ...] = ()
    number: str = ""
    """Of the product of a weld."""
    scrap_g: int = 0
    """Weighed; 0: what no part holds, by its length or width."""
    reason: str = ""


def work(plant: Plant, command: Command, asked: HandWork) -> dict[str, Any]:
    """Do it. Refused by the rule's name: partition, balance, a piece that is held, used or gone, a number that is taken."""

    def decide(deed: Deed) -> dict[str, Any]:
        unit = deed.plant.model.get_unit(asked.unit)
        if asked.operation not in OPERATIONS:
            raise errors.bad_work(f"{asked.operation!r} is no operation by hand.", f"Use {', '.join(OPERATIONS)}.")
        parents = get_all_usable(deed, asked.pieces)
        if any(p.kind in ("heat", PACK_KIND) for p in parents):
            raise errors.bad_work("A heat or a pack is no piece of steel to work on.", "Take the pack apart first.")
        made = _weld(deed, asked, parents) if asked.operation == "weld" else _divide(deed, asked, parents)
        _check_balance(unit, parents, made)
        refuse_cycle(deed.conn, [p.material_id for p in parents], [c.material_id for c in made.children])
        _record(deed, asked, unit, parents, made)
        return {
            "numbers": [c.aliases[0].value for c in made.children],
            "material_ids": [c.material_id for c in made.children],
        }

    return carry_out(plant, command, decide)


@dataclass(frozen=True)
class _Made:
    children: tuple[NewMaterial, ...]
    edges: tuple[Edge, ...]
    losses: tuple[Loss, ...]


def _divide(deed: Deed, asked: HandWork, parents: Sequence[Row[Any]]) -> _Made:
    least = 2 if asked.operation in ("cut", "slit") else 1
    if len(parents) != 1 or len(asked.parts) < least:
        raise errors.bad_work(f"{asked.operation} takes one piece and at least {least} part(s).", "Name the parts.")
    parent = parents[0]
    along = asked.operation != "slit"
    whole = parent.length_um if along else parent.width_um
    if not whole:
        raise errors.bad_work(
            f"{parent.number} has no {'length' if along else 'width'} on record.", "Correct its size first."
        )
    for part in asked.parts:
        check_inside((part.from_um, part.to_um), whole, "The part")
    check_partition([(part.from_um, part.to_um) for part in asked.parts], whole)
    masses, lost_g = masses_of(parent.mass_g, whole, asked.parts, asked.scrap_g)
    children, edges = [], []
    for part, mass_g in zip(asked.parts, masses, strict=True):
        size = size_of(Size(parent.thickness_um, parent.width_um, parent.length_um), part, along)
        child = _child(
            deed, parents, part.number, mass_g, size, "slit" if not along else parent.kind, bool(part.mass_g)
        )
        if along:  # of a transition slab each part has its own steel
            steel = read_steel(deed.conn, parent.material_id, part.from_um, part.to_um)
            child = replace(child, chemistry_e6=steel.chemistry_e6 if steel.is_mixed else {})
        children.append(child)
        edges.append(edge_of(parent.material_id, child, part, Size(0, parent.width_um, parent.length_um), along))
    if len({child.aliases[0].value for child in children}) < len(children):
        raise errors.bad_work("Two parts would bear one number.", "Give each part its own.")
    losses = (Loss(LOSS_OF[asked.operation], lost_g, bool(asked.scrap_g)),) if lost_g else ()
    return _Made(tuple(children), tuple(edges), losses)


def _weld(deed: Deed, asked: HandWork, parents: Sequence[Row[Any]]) -> _Made:
    """Pieces end to end, in the order named."""
    if len(parents) < 2:
        raise errors.bad_work("A weld joins at least two pieces.", "Name them in their order, head first.")
    if len({(p.thickness_um, p.width_um) for p in parents}) > 1:
        raise errors.bad_work("Pieces of different thickness or width make no one strip.", "Check the sizes.")
    produced = sum(p.mass_g for p in parents) - asked.scrap_g
    lengths = [p.length_um for p in parents]
    size = Size(parents[0].thickness_um, parents[0].width_um, sum(lengths))
    child = _child(deed, parents, asked.number, produced, size, parents[0].kind, False)
    shares = share_out(produced, [max(1, p.mass_g) for p in parents])
    edges, at = [], 0
    for parent, mass_g in zip(parents, shares, strict=True):
        edges.append(
            Edge(
                parent_id=parent.material_id,
                child_id=child.material_id,
                parent_from_um=0,
                parent_to_um=parent.length_um,
                child_from_um=at,
                child_to_um=at + parent.length_um,
                parent_right_um=parent.width_um,
                child_right_um=parent.width_um,
                mass_g=mass_g,
                share_ppm=round(1_000_000 * mass_g / produced) if produced else 0,
            )
        )
        at += parent.length_um
    return _Made((child,), tuple(edges), (Loss("ends", asked.scrap_g, True),) if asked.scrap_g else ())


def _child(
    deed: Deed, parents: Sequence[Row[Any]], number: str, mass_g: int, size: Size, kind: str, weighed: bool
) -> NewMaterial:
    first = parents[0]
    basis, scale = ("weighed", "by hand") if weighed else ("theoretical", "")
    return NewMaterial(
        material_id=deed.mint(),
        kind=kind,
        aliases=(new_alias(deed, number, kind, [p.material_id for p in parents]),),
        mass=Mass(mass_g, basis, scale, deed.occurred.at_ms),
        size=size,
        grade=first.grade,
        order_item=first.order_item or STOCK,
        place=first.place,
    )


def _check_balance(unit: Unit, parents: Sequence[Row[Any]], made: _Made) -> None:
    if any(child.mass.g <= 0 for child in made.children):
        raise errors.bad_work("A product would weigh nothing.", "Check the scrap and the masses of the parts.")
    charged = sum(p.mass_g for p in parents)
    balance = Balance(charged, sum(c.mass.g for c in made.children), sum(loss.g for loss in made.losses))
    if not balance.closes(tolerance_ppm(unit)):
        raise errors.no_balance(charged, balance.unexplained_g, tolerance_ppm(unit))


def _record(deed: Deed, asked: HandWork, unit: Unit, parents: Sequence[Row[Any]], made: _Made) -> None:
    ids = [p.material_id for p in parents]
    fact = MaterialTransformed(
        operation_id=deed.mint(),
        operation=asked.operation,
        unit=unit.code,
        started_at_ms=deed.occurred.at_ms,
        ended_at_ms=deed.occurred.at_ms,
        parents=tuple(Consumed(p.material_id, p.mass_g) for p in parents),
        children=made.children,
        edges=made.edges,
        losses=made.losses,
        notes=tuple(n for n in ("booked by hand", asked.reason.strip()) if n),
    )
    deed.record(fact, (*(c.material_id for c in made.children), *ids))
    shift = deed.plant.model.calendar.at(deed.occurred.at_ms)
    good = sum(c.mass.g for c in made.children)
    measures = {
        "charged_g": sum(p.mass_g for p in parents),
        "good_g": good,
        "prime_g": good,
        "pieces": len(made.children),
    }
    measures |= {f"{loss.kind}_g": loss.g for loss in made.losses}
    counted = MeasureCounted(
        unit=unit.code, production_day=shift.production_day, shift=shift.name, measures=measures, collected="manual"
    )
    deed.record(counted, (f"{deed.plant.code}.{unit.code}",))
    for child in made.children:
        pass_on_holds(deed, ids, child.material_id)
