"""What a melt shop records, heat after heat, without end: the types of facts, their sizes and their order are those of
a real site, the numbers follow from the seed.

A heat of 250 t becomes 12 slabs. Most facts of an integrated site are moves by crane and states of units: with them a
heat leaves about 970 facts, 36 heats a day 35,000.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from shared.clock import Clock
from shared.ids import derived_id
from shared.journal.fact import Draft, Occurred, Payload
from shared.material.facts import (
    Consumed,
    Edge,
    Loss,
    MarkPlaced,
    Mass,
    MaterialCreated,
    MaterialMoved,
    MaterialTransformed,
    MaterialWeighed,
    NewAlias,
    NewMaterial,
    Size,
)
from shared.performance.facts import MeasureCounted, UnitStateChanged
from shared.quality.facts import CheckDecided, ElementResult, SampleAnalysed

PLANT = "DRL"
SLABS_A_HEAT = 12
MOVES_A_SLAB = 70
SLAB_G = 20_500_000
SLAB_SIZE = Size(250_000, 1_500_000, 7_000_000)
ELEMENTS = ("C", "Si", "Mn", "P", "S", "Al", "Cu", "Cr", "Ni", "Mo", "Sn", "N")


class Work:
    """The drafts of one plant, in the order in which they happen."""

    def __init__(self, seed: int, clock: Clock) -> None:
        self._seed = seed
        self._clock = clock

    def drafts(self) -> Iterator[Draft[Any]]:
        """Without end; each is made when it is asked for, at the clock's time."""
        heat = 0
        while True:
            heat += 1
            yield from self._heat(heat)

    def _heat(self, heat: int) -> Iterator[Draft[Any]]:
        heat_id = self._id("heat", heat)
        new = self._material(heat_id, "heat", f"{heat:05d}", SLABS_A_HEAT * SLAB_G + 4_000_000, Size())
        yield self._draft(MaterialCreated(material=new, origin="made"), heat_id)
        for sample in range(6):
            yield self._sample(heat, heat_id, sample)
        slabs = [self._id("slab", heat, number) for number in range(SLABS_A_HEAT)]
        yield self._cast(heat, heat_id, slabs)
        for number, slab in enumerate(slabs):
            yield from self._slab(heat, number, slab)
        for minute in range(60):
            yield self._state(heat, minute)

    def _cast(self, heat: int, heat_id: str, slabs: list[str]) -> Draft[Any]:
        now, length = self._clock.now_ms(), SLAB_SIZE.length_um
        edges = tuple(
            Edge(
                parent_id=heat_id,
                child_id=slab,
                parent_from_um=number * length,
                parent_to_um=(number + 1) * length,
                child_from_um=0,
                child_to_um=length,
                mass_g=SLAB_G,
            )
            for number, slab in enumerate(slabs)
        )
        children = tuple(
            self._material(slab, "slab", f"{heat:05d}-{number + 1:02d}", SLAB_G, SLAB_SIZE)
            for number, slab in enumerate(slabs)
        )
        cast = MaterialTransformed(
            operation_id=self._id("cast", heat),
            operation="cast",
            unit="CC1",
            started_at_ms=now - 2_400_000,
            ended_at_ms=now,
            parents=(Consumed(heat_id, len(slabs) * SLAB_G + 4_000_000),),
            children=children,
            edges=edges,
            losses=(Loss("tundish_rest", 3_000_000), Loss("crop", 1_000_000)),
        )
        return self._draft(cast, heat_id, *slabs)

    def _slab(self, heat: int, number: int, slab: str) -> Iterator[Draft[Any]]:
        at = self._clock.now_ms()
        weighed = Mass(SLAB_G + self._number(20_000, heat, number), "weighed", "W1", at)
        yield self._draft(MaterialWeighed(material_id=slab, mass=weighed), slab)
        decided = CheckDecided(
            decision_id=self._id("check", heat, number),
            rule_id="QR-RES-01",
            rule_version=2,
            rule_hash="0" * 64,
            material_id=slab,
            outcome="pass",
            inputs={"Cu": 1_200 + self._number(800, heat, number), "Sn": 90},
            explanation="Cu + 8 * Sn is within the limit of the grade.",
        )
        yield self._draft(decided, slab)
        mark = MarkPlaced(
            mark_id=self._id("mark", heat, number),
            material_id=slab,
            kind="mould_level",
            from_um=self._number(3_000_000, heat, number),
            to_um=4_000_000,
            right_um=SLAB_SIZE.width_um,
            value=4,
        )
        yield self._draft(mark, slab)
        for move in range(MOVES_A_SLAB):
            place = f"YARD-{self._number(40, heat, number, move):02d}-{self._number(12, move, heat):02d}"
            yield self._draft(MaterialMoved(material_id=slab, place=place), slab)

    def _sample(self, heat: int, heat_id: str, sample: int) -> Draft[Any]:
        results = tuple(ElementResult(e, 100 + self._number(1_500, heat, sample, e)) for e in ELEMENTS)
        analysed = SampleAnalysed(
            sample_id=self._id("sample", heat, sample),
            sample_number=f"{heat:05d}/{sample}",
            material_id=heat_id,
            place="LFF",
            taken_at_ms=self._clock.now_ms(),
            results=results,
        )
        return self._draft(analysed, heat_id)

    def _state(self, heat: int, minute: int) -> Draft[Any]:
        day = "2026-01-01"
        if minute % 6 == 0:
            counted = MeasureCounted(
                unit="CC1", production_day=day, shift="early", measures={"good_g": SLAB_G * 2, "pieces": 2}
            )
            return self._draft(counted, f"CC1:{day}")
        state = "run" if self._number(8, heat, minute) else "stop"
        reason = "" if state == "run" else "ME-12"
        changed = UnitStateChanged(unit="CC1", state=state, reason=reason, production_day=day, shift="early")
        return self._draft(changed, "CC1")

    def _material(self, material_id: str, kind: str, number: str, mass_g: int, size: Size) -> NewMaterial:
        return NewMaterial(
            material_id=material_id,
            kind=kind,
            aliases=(NewAlias(f"{PLANT}.{kind}", f"D{number}"),),
            mass=Mass(mass_g, "theoretical"),
            size=size,
            grade="L06",
            order_item="4711-10",
            place="CAST",
        )

    def _draft(self, payload: Payload, *subjects: str) -> Draft[Any]:
        return Draft(
            payload=payload, subjects=subjects, actor="l2:cc1", occurred=Occurred(self._clock.now_ms(), "l2:cc1")
        )

    def _id(self, *parts: str | int) -> str:
        return derived_id(self._clock.now_ms(), "drill", self._seed, *parts)

    def _number(self, below: int, *parts: str | int) -> int:
        return int(derived_id(0, "drill", self._seed, *parts)[12:24], 16) % below
