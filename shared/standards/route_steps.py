"""The steps of a route: by which classes of equipment, in which other ways, and back to where when it went wrong."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, ClassVar

from pydantic import Field

from shared.standards.frame import EquipmentClass, Grown, Strict
from shared.standards.work_kinds import Qualification

Capability = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{1,39}$")]
"""What not every unit of a class can do, such as `trimming`; the plant model says which unit can."""


class Alternative(Strict):
    """Another way of doing a step: by all of these classes together. Ways are tried in the order they stand in."""

    classes: tuple[EquipmentClass, ...] = Field(min_length=1, max_length=10)
    requires: tuple[Capability, ...] = Field((), max_length=10)
    note: str = Field("", max_length=300)


class Rework(Strict):
    """Where a piece goes back to that a person sends to rework behind this step, and how often at most."""

    to: int = Field(ge=1)
    when: str = Field(min_length=3, max_length=300)
    at_most: int = Field(1, ge=1, le=20)


class Step(Grown):
    """One step of a route: the equipment classes that do it, what goes in and comes out, losses, what to collect.

    A step of class `transport` is the border between two plants. outside: another firm does it. requires: what a unit
    of the classes must be able to. qualification: what the person must hold who books it by hand.
    """

    LATER: ClassVar[Mapping[str, int]] = MappingProxyType(
        {"requires": 3, "alternatives": 3, "rework": 3, "outside": 3, "qualification": 3}
    )

    number: int = Field(ge=1)
    name: str
    classes: tuple[EquipmentClass, ...] = Field(min_length=1)
    result: str = ""
    aims: dict[str, int] = Field(default_factory=dict)
    loss: str = ""
    collect: tuple[str, ...] = ()
    requires: tuple[Capability, ...] = Field((), max_length=10)
    alternatives: tuple[Alternative, ...] = Field((), max_length=10)
    rework: tuple[Rework, ...] = Field((), max_length=10)
    outside: bool = False
    qualification: Qualification = ""

    @property
    def ways(self) -> tuple[Alternative, ...]:
        """All ways of doing it, the usual one first."""
        return (Alternative(classes=self.classes, requires=self.requires, note=""), *self.alternatives)

    @property
    def all_classes(self) -> frozenset[str]:
        """Every class that any way names."""
        return frozenset(name for way in self.ways for name in way.classes)


def route_faults(steps: tuple[Step, ...]) -> list[str]:
    """What a reader of single steps cannot see: loops that lead nowhere."""
    numbers = {step.number for step in steps}
    return [
        f"step {step.number} sends rework to step {loop.to}, which is "
        + ("behind it" if loop.to in numbers else "not there")
        for step in steps
        for loop in step.rework
        if loop.to not in numbers or loop.to > step.number
    ]
