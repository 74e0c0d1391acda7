"""Facts as a strip mill writes them in a day: a coil is rolled, weighed, checked, counted and moved, and the next one.

Kinds, fields and lengths are those of the example group's day, where a fact has 700 to 800 bytes on average; ids are random,
and so is every figure that a gauge or a scale would give.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

from shared.ids import new_id
from shared.journal.fact import Draft, Occurred, StandardRef
from shared.material.facts import (
    Consumed,
    Edge,
    Loss,
    Mass,
    MaterialMoved,
    MaterialTransformed,
    MaterialWeighed,
    NewAlias,
    NewMaterial,
    Size,
)
from shared.node import Node
from shared.performance.facts import MeasureCounted
from shared.quality.facts import CheckDecided

ROUTE = StandardRef("R-GISLIT", 7, "2c4b75a28d26cb66949401eee157b43d62f5695b897c5df711b51bc2c1598f1a")
RULES = (
    ("QR-RES-01", "bb6e41a007f3e78ee386b84d265027f99f2194526269017cf7c03d00f497ca5f"),
    ("QR-GAU-02", "cff1b01f856f8ede24f6bb4e0d50bebd02bf3691f540e13b769d5e514cf1dab9"),
)


FACTS_A_COIL = 11


def day_facts(plant: Node, coils: int, seed: int = 1) -> Iterator[Draft[Any]]:
    """Eleven facts a coil, one coil after the other."""
    chance, before = Random(seed), new_id(plant.clock)
    for number in range(coils):
        coil = new_id(plant.clock)
        at_ms = plant.clock.now_ms() + number * 480_000 + chance.randrange(60_000)
        yield from _coil(plant, chance, number, before, coil, at_ms)
        before = coil


def _coil(plant: Node, chance: Random, number: int, parent: str, coil: str, at_ms: int) -> Iterator[Draft[Any]]:
    source = Occurred(at_ms, "l2:CLD-CM corrected +95 s", offset_min=60)

    def said(payload: Any, *subjects: str, standard: StandardRef | None = None) -> Draft[Any]:
        return Draft(payload=payload, subjects=subjects, actor="l2:CLD-CM", occurred=source, standard=standard)

    mass_g = 18_000_000 + chance.randrange(3_000_000)
    operation = new_id(plant.clock)
    yield said(MaterialMoved(material_id=parent, place=f"CM1-{number % 4}"), parent)
    yield said(_rolled(chance, number, parent, coil, operation, mass_g, at_ms), coil, parent, standard=ROUTE)
    weighed = Mass(mass_g - chance.randrange(20_000), "weighed", "CM1W", at_ms + 240_000)
    yield said(MaterialWeighed(material_id=coil, mass=weighed, reason="after cold_roll", operation_id=operation), coil)
    for rule, digest in RULES:
        decision = new_id(plant.clock)
        checked = _checked(chance, rule, digest, coil, decision)
        yield said(checked, coil, decision, standard=StandardRef(rule, 2, digest))
    for measures in (
        {"apt_ms": 400_000 + chance.randrange(200_000)},
        {"charged_g": mass_g + chance.randrange(200_000), "good_g": mass_g},
        {"pieces": 1, "length_um": 2_000_000_000 + chance.randrange(900_000_000)},
        {"energy_j": 1_000_000_000 + chance.randrange(900_000_000)},
    ):
        counted = MeasureCounted(unit="CM1", production_day="2026-03-11", shift="early", measures=measures)
        yield said(counted, "CLD.CM1")
    yield said(MaterialMoved(material_id=coil, place=f"YC-{chance.randrange(9)}-{chance.randrange(30)}"), coil)
    yield said(MaterialMoved(material_id=coil, place=f"CG1-{chance.randrange(4)}"), coil)


def _rolled(
    chance: Random, number: int, parent: str, coil: str, operation: str, mass_g: int, at_ms: int
) -> MaterialTransformed:
    head_um, length_um = chance.randrange(5_000_000), 2_000_000_000 + chance.randrange(900_000_000)
    off_gauge_g = chance.randrange(200_000)
    made = NewMaterial(
        material_id=coil,
        kind="coil",
        aliases=(NewAlias("CLD.coil", f"C6-{number:05}-R"),),
        mass=Mass(mass_g, "theoretical", "", at_ms),
        size=Size(760, 1_250_000, length_um),
        grade="L06",
        order_item=f"7100{number % 90:02}/10",
        place="CM1",
    )
    edge = Edge(
        parent_id=parent,
        child_id=coil,
        parent_from_um=head_um,
        parent_to_um=head_um + 800_000_000 + chance.randrange(9_000_000),
        child_from_um=0,
        child_to_um=length_um,
        parent_right_um=1_250_000,
        child_right_um=1_250_000,
        mass_g=mass_g,
        flip_length=True,
    )
    return MaterialTransformed(
        operation_id=operation,
        operation="cold_roll",
        unit="CM1",
        started_at_ms=at_ms - 700_000,
        ended_at_ms=at_ms,
        parents=(Consumed(parent, mass_g + off_gauge_g),),
        children=(made,),
        edges=(edge,),
        losses=(Loss("off_gauge", off_gauge_g),),
        values={"force_n": 8_000_000 + chance.randrange(4_000_000), "tension_n": 60_000 + chance.randrange(9_000)},
        notes=("losses computed from lengths and widths",),
    )


def _checked(chance: Random, rule: str, digest: str, coil: str, decision: str) -> CheckDecided:
    copper, tin = 1_000 + chance.randrange(900), 80 + chance.randrange(90)
    return CheckDecided(
        decision_id=decision,
        rule_id=rule,
        rule_version=2,
        rule_hash=digest,
        material_id=coil,
        outcome="pass",
        inputs={"Cu": copper, "Sn": tin, "grade": "L06"},
        explanation=f"Cu + 8 * Sn = {(copper + 8 * tin) / 10_000:.3f} % ≤ 0.38 %",
    )
