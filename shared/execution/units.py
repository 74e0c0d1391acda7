"""Where the next step may be done: units of its classes, with what speaks against each. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from shared.standards.route_steps import Step
from shared.units import G_PER_KG, UM_PER_MM

FIGURES = {
    "thickness_um": (UM_PER_MM, "mm"),
    "width_um": (UM_PER_MM, "mm"),
    "length_um": (UM_PER_MM * 1000, "m"),
    "mass_g": (G_PER_KG, "kg"),
}
"""Figures of a piece that a unit may limit by `min_` and `max_` of the name, with the unit people read them in."""


@dataclass(frozen=True)
class Machine:
    """A unit as execution sees it; limits: `min_width_um`, `max_mass_g` and the like."""

    unit: str
    unit_class: str
    capabilities: frozenset[str] = frozenset()
    limits: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Offer:
    """A unit that is of a class the step names. why_not: in words, empty when it is permitted; way: 0 is the usual one."""

    unit: str
    unit_class: str
    way: int
    why_not: str = ""
    note: str = ""


def offers(
    step: Step, left: Collection[str], machines: Sequence[Machine], figures: Mapping[str, int]
) -> tuple[Offer, ...]:
    """Every unit for the step, the usual way's first; left: classes of the step that still have to be seen."""
    found: dict[str, Offer] = {}
    for number, way in enumerate(step.ways):
        for name in way.classes:
            if name not in left:
                continue
            for machine in machines:
                if machine.unit_class == name and machine.unit not in found:
                    why = _against(machine, frozenset(way.requires), figures)
                    found[machine.unit] = Offer(machine.unit, name, number, why, way.note)
    return tuple(sorted(found.values(), key=lambda offer: (bool(offer.why_not), offer.way)))


def _against(machine: Machine, requires: frozenset[str], figures: Mapping[str, int]) -> str:
    lacks = sorted(requires - machine.capabilities)
    said = [f"cannot do {', '.join(lacks)}"] if lacks else []
    for name, (scale, unit) in FIGURES.items():
        value = figures.get(name, 0)
        least, most = machine.limits.get(f"min_{name}"), machine.limits.get(f"max_{name}")
        word = name.rpartition("_")[0]
        if value and least is not None and value < least:
            said.append(f"{word} {value / scale:g} {unit} is below {least / scale:g} {unit}")
        if value and most is not None and value > most:
            said.append(f"{word} {value / scale:g} {unit} is above {most / scale:g} {unit}")
    return "; ".join(said)
