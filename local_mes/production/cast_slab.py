"""Slabs are born: cut by cut, or a heat at a time where the caster tells no more. Both give the same facts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Row

from local_mes.level2.operations import BadMessage, Work
from local_mes.orders.service import STOCK
from local_mes.production.cast_checks import judge_slab
from local_mes.production.cast_domain import (
    ColdSize,
    LadleMark,
    length_differs,
    mixed_length_um,
    shares_ppm,
)
from local_mes.production.cast_events import mark_slab
from local_mes.production.cast_mixing import ALL_STIRRED, MixingRule, mixing_rule, mixture_of
from local_mes.production.cast_sequence import CastSequence, sequence_told, tell_sequence
from local_mes.production.counting import count, count_run
from local_mes.production.heats import summaries_of
from local_mes.quality.service import mixed_of
from local_mes.standards.service import standard_ref
from shared.journal.fact import StandardRef
from shared.material.correction_queries import find_bearer
from shared.material.facts import (
    Consumed,
    DeviationRaised,
    Edge,
    Loss,
    Mass,
    MaterialTransformed,
    Mixture,
    NewAlias,
    NewMaterial,
    Size,
)
from shared.material.queries import get_material
from shared.orders.queries import find_line, find_order
from shared.units import UM_PER_M, UM_PER_MM, share_out, theoretical_mass_g

LOSSES = {"C": "crop", "S": "sample"}


@dataclass(frozen=True)
class Cut:
    """A piece of strand that was cut off. interval_um: strand metres of the piece itself; size cold."""

    sequence: CastSequence
    heat: Row[Any]
    strand: int
    cut: int
    interval_um: tuple[int, int]
    size: ColdSize
    kerf_um: int
    order: str = ""
    values: tuple[tuple[str, int], ...] = ()
    notes: tuple[str, ...] = ()
    rule: MixingRule = ALL_STIRRED

    @property
    def number(self) -> str:
        """What is painted on it: heat-strand-cut."""
        return f"{self.heat.number}-{self.strand}-{self.cut}"

    @property
    def kerf_g(self) -> int:
        """What the torch burnt away."""
        return theoretical_mass_g(self.size.thickness_um, self.size.width_um, self.kerf_um)

    @property
    def g_per_m(self) -> int:
        """Mass of a metre of all strands together."""
        return self.sequence.unit.whole("strands") * theoretical_mass_g(
            self.size.thickness_um, self.size.width_um, UM_PER_M
        )

    @property
    def ladles(self) -> list[LadleMark]:
        """The ladles as the mixing rule sees them on this strand."""
        return self.rule.seen(self.sequence.marks(self.strand), self.g_per_m)

    @property
    def shares(self) -> dict[str, int]:
        """Heat -> share in ppm."""
        return shares_ppm(self.ladles, self.interval_um, self.g_per_m)

    @property
    def mixed_um(self) -> int:
        """Length with 10-90 % steel of another grade."""
        return mixed_length_um(self.ladles, self.interval_um, self.g_per_m, self.heat.grade)

    def mixture(self, slab_id: str, shares: dict[str, int]) -> tuple[Mixture, ...]:
        """Its heats by interval; none for steel of one heat."""
        told = mixture_of(slab_id, self.ladles, self.interval_um, self.g_per_m, shares, self.rule)
        return (told,) if told is not None else ()


def bear(work: Work, cut: Cut) -> None:
    """A slab is born: its heats by share and by interval, its losses, its holds, its marks."""
    cut = _ruled(work, cut)
    slab_id, operation_id = work.new_id(), work.new_id()
    _check_number(work, cut, slab_id)
    shares = cut.shares
    slab = _slab(work, cut, slab_id, shares)
    fact = MaterialTransformed(
        operation_id=operation_id,
        operation="cast",
        unit=cut.sequence.unit.code,
        started_at_ms=work.message.occurred.at_ms,
        ended_at_ms=work.message.occurred.at_ms,
        parents=_charged(work, shares, slab.mass.g + cut.kerf_g),
        children=(slab,),
        edges=_edges(cut, slab, shares),
        losses=(Loss("kerf", cut.kerf_g),) if cut.kerf_g else (),
        values={**dict(cut.values), "mixed_mm": cut.mixed_um // UM_PER_MM, **summaries_of(work, cut.heat.material_id)},
        notes=cut.notes,
        mixtures=cut.mixture(slab_id, shares),
    )
    work.record(fact, [slab_id, operation_id, *sorted(shares)], standard=_stamp(work, slab.order_item))
    _check_length(work, cut, slab_id)
    free = judge_slab(work, slab_id, shares, cut.mixed_um)
    row = get_material(work.conn, work.plant.code, slab_id)
    mark_slab(work, cut.sequence, cut.strand, row, cut.interval_um[0])
    count_run(work, cut.sequence.unit.code)
    count(
        work,
        cut.sequence.unit.code,
        {
            "good_g": slab.mass.g,
            "prime_g": slab.mass.g if free else 0,
            "kerf_g": cut.kerf_g,
            "pieces": 1,
        },
    )


def book_loss(work: Work, cut: Cut, kind: str) -> None:
    """A crop or a sample was cut off: steel that gets no number."""
    if "ended_ms" in sequence_told(work, cut.sequence):
        return  # the sequence's balance is closed; its end told the crops as one sum
    operation_id, lost_g, shares = work.new_id(), cut.size.mass_g, _ruled(work, cut).shares
    losses = (Loss(kind, lost_g), Loss("kerf", cut.kerf_g))
    fact = MaterialTransformed(
        operation_id=operation_id,
        operation="cast",
        unit=cut.sequence.unit.code,
        started_at_ms=work.message.occurred.at_ms,
        ended_at_ms=work.message.occurred.at_ms,
        parents=_charged(work, shares, lost_g + cut.kerf_g),
        children=(),
        edges=(),
        losses=tuple(loss for loss in losses if loss.g),
        values=dict(cut.values),
        notes=cut.notes,
    )
    work.record(fact, [operation_id, *sorted(shares)])
    booked = sequence_told(work, cut.sequence).get("crops_g", 0)
    tell_sequence(work, cut.sequence, when_ms=work.message.occurred.at_ms, crops_g=booked + lost_g)
    count(work, cut.sequence.unit.code, {f"{kind}_g": lost_g, "kerf_g": cut.kerf_g})


def _check_number(work: Work, cut: Cut, slab_id: str) -> None:
    known = find_bearer(work.conn, work.plant.code, cut.number)
    if known is not None and known.material_id != slab_id:
        raise BadMessage(f"Slab {cut.number} was cut already; the number would name two slabs.", "cut")


def _slab(work: Work, cut: Cut, slab_id: str, shares: dict[str, int]) -> NewMaterial:
    plant, unit = work.plant.code, cut.sequence.unit
    size = cut.size
    return NewMaterial(
        material_id=slab_id,
        kind="slab",
        aliases=(NewAlias(f"{plant}.slab", cut.number),),
        mass=Mass(size.mass_g, unit.text("mass_basis"), unit.code, work.message.occurred.at_ms),
        size=Size(size.thickness_um, size.width_um, size.length_um),
        grade=cut.heat.grade,
        order_item=_order(work, cut),
        place=unit.code,
        heat_number=cut.heat.number,
        chemistry_e6=mixed_of(work.conn, shares),
        attributes={
            "strand": str(cut.strand),
            "cut": str(cut.cut),
            "sequence": cut.sequence.get_ladle(cut.heat.material_id).sequence,
        },
    )


def _order(work: Work, cut: Cut) -> str:
    """As the heat is scheduled, else as the caster was told, else as the heat, else stock."""
    line = find_line(work.conn, work.plant.code, cut.sequence.unit.code, cut.heat.number)
    return (line.order_item if line else "") or cut.order or cut.heat.order_item or STOCK


def _ruled(work: Work, cut: Cut) -> Cut:
    """With the mixing rule of the route it is cast by."""
    route = _route_of(work, _order(work, cut))
    return replace(cut, rule=mixing_rule(work.conn, route, cut.sequence.unit.code))


def _stamp(work: Work, order_item: str) -> StandardRef | None:
    route = _route_of(work, order_item)
    return standard_ref(work.conn, route) if route else None


def _route_of(work: Work, order_item: str) -> str:
    order = find_order(work.conn, work.plant.code, order_item)
    return order.route if order else ""


def _charged(work: Work, shares: dict[str, int], mass_g: int) -> tuple[Consumed, ...]:
    """What each heat gives, at most what it has left: theoretical masses that ask for more stay unexplained, as a loss
    that is none."""
    parts = share_out(mass_g, list(shares.values()))
    left = {heat: max(0, get_material(work.conn, work.plant.code, heat).mass_g) for heat in shares}
    return tuple(Consumed(heat, min(part, left[heat]), whole=False) for heat, part in zip(shares, parts, strict=True))


def _edges(cut: Cut, slab: NewMaterial, shares: dict[str, int]) -> tuple[Edge, ...]:
    masses = share_out(slab.mass.g, list(shares.values()))
    width = slab.size.width_um
    return tuple(
        Edge(
            parent_id=heat_id,
            child_id=slab.material_id,
            parent_from_um=cut.interval_um[0],
            parent_to_um=cut.interval_um[1],
            child_from_um=0,
            child_to_um=slab.size.length_um,
            parent_right_um=width,
            child_right_um=width,
            mass_g=mass,
            share_ppm=share,
        )
        for (heat_id, share), mass in zip(shares.items(), masses, strict=True)
    )


def _check_length(work: Work, cut: Cut, slab_id: str) -> None:
    """Hot length and strand metres are two measurements of one thing; where they disagree both stay and it is said."""
    by_um = length_differs(cut.interval_um, cut.size.length_um, cut.sequence.unit.whole("length_tolerance_ppm"))
    if by_um:
        text = f"{cut.number}: the torch measured {by_um / UM_PER_MM:+.0f} mm against the strand's metres."
        raised = DeviationRaised(deviation_id=work.new_id(), rule="cut_length", text=text, material_id=slab_id)
        work.record(raised, [slab_id])
