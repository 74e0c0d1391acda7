"""Standards of people's work: trees of reasons, what is to be collected, and how a job is done."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from shared.standards.frame import Document, EquipmentClass, Grown, ParameterName, Strict

Qualification = Annotated[str, Field(pattern=r"^([a-z][a-z0-9 _.-]{0,39})?$")]
"""What a person was trained and tried for, such as `crane` or `tundish change`; empty: nothing is asked."""
Code = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_.-]{0,15}$")]
DEPTH_MAX = 5
"""A tree that a person finds through in a minute."""


class Reason(Strict):
    """A reason, or a branch of reasons; parent empty: at the top."""

    code: Code
    text: str = Field(min_length=2, max_length=100)
    parent: str = ""
    planned: bool = False


class ReasonTree(Document):
    """Reasons of delays, defects or scrap, from the general to the particular; people choose among the leaves."""

    kind: Literal["reason_tree"] = "reason_tree"
    of: Literal["delay", "defect", "scrap"]
    reasons: tuple[Reason, ...] = Field(min_length=1, max_length=1_000)

    @model_validator(mode="after")
    def _is_a_tree(self) -> Self:
        parents = {reason.code: reason.parent for reason in self.reasons}
        if len(parents) < len(self.reasons):
            raise ValueError("a code is used twice")
        for reason in self.reasons:
            if reason.parent and reason.parent not in parents:
                raise ValueError(f"{reason.code} hangs below {reason.parent}, which is not there")
            _check_depth(reason.code, parents)
        return self

    @property
    def leaves(self) -> list[Reason]:
        """The reasons that people choose, in the order they were written."""
        branches = {reason.parent for reason in self.reasons}
        return [reason for reason in self.reasons if reason.code not in branches]


def _check_depth(code: str, parents: dict[str, str]) -> None:
    steps, at = 1, code
    while at := parents.get(at, ""):
        steps += 1
        if steps > DEPTH_MAX:
            raise ValueError(f"{code} lies deeper than {DEPTH_MAX} steps, or in a ring")


class DataItem(Grown):
    """One figure or word to collect, and how: by Level 2, by hand, weighed or theoretical.

    signal: what the plant's Level 2 calls it, the last word of the signal's name or a field of its message; empty: the
    same as the item.
    """

    LATER: ClassVar[Mapping[str, int]] = MappingProxyType({"signal": 3})

    name: ParameterName
    text: str = Field(min_length=2, max_length=100)
    type: Literal["whole", "text", "choice", "yes_no"]
    unit: str = Field("", max_length=16)
    min: int | None = None
    max: int | None = None
    choices: tuple[str, ...] = Field((), max_length=50)
    source: Literal["level2", "by_hand", "either"] = "either"
    basis: Literal["", "weighed", "theoretical", "measured", "estimated"] = ""
    required: bool = True
    signal: str = Field("", max_length=64)

    @property
    def told_as(self) -> str:
        """The name under which Level 2 tells it; empty where only a person can."""
        return "" if self.source == "by_hand" else self.signal or self.name

    @model_validator(mode="after")
    def _fits_its_type(self) -> Self:
        if (self.type == "choice") != bool(self.choices):
            raise ValueError(f"{self.name}: choices belong to the type choice, and to no other")
        if self.type != "whole" and (self.min is not None or self.max is not None or self.unit):
            raise ValueError(f"{self.name}: only a whole number has bounds and a unit")
        return self

    def fault(self, value: int | str | bool | None) -> str:
        """Why a value does not pass, in words; empty when it does."""
        if value in (None, ""):
            return "is missing" if self.required else ""
        if self.type == "whole":
            return self._whole_fault(value)
        if self.type == "yes_no":
            return "" if isinstance(value, bool) else "is neither yes nor no"
        if not isinstance(value, str) or len(value) > 500:
            return "is no text of at most 500 characters"
        return f"is none of {', '.join(self.choices)}" if self.choices and value not in self.choices else ""

    def _whole_fault(self, value: int | str | bool | None) -> str:
        if isinstance(value, bool) or not isinstance(value, int):
            return "is no whole number"
        low, high = (value if self.min is None else self.min), (value if self.max is None else self.max)
        return "" if low <= value <= high else f"is outside {self.min} to {self.max} {self.unit}".strip()


class DataCollection(Grown, Document):
    """What is recorded of each heat, piece or shift at a class of equipment.

    if_missing: `ask` people for it and go on, or `hold_step`: the piece is not offered to its next step before.
    within_min: how long people have for it after the piece left the unit.
    """

    LATER: ClassVar[Mapping[str, int]] = MappingProxyType({"if_missing": 3, "within_min": 3})

    kind: Literal["data_collection"] = "data_collection"
    at: EquipmentClass
    per: Literal["heat", "piece", "shift"]
    items: tuple[DataItem, ...] = Field(min_length=1, max_length=100)
    if_missing: Literal["ask", "hold_step"] = "ask"
    within_min: int = Field(60, ge=1, le=10_080)

    @model_validator(mode="after")
    def _names_are_used_once(self) -> Self:
        if len({item.name for item in self.items}) < len(self.items):
            raise ValueError("two items have the same name")
        return self


class InstructionStep(Strict):
    """One step of a job; confirm: a person says that it was done."""

    text: str = Field(min_length=3, max_length=1_000)
    danger: str = Field("", max_length=300)
    confirm: bool = False


class Instruction(Grown, Document):
    """How a job is done at a class of equipment, with its dangers; also a checklist or a handover.

    qualification: what a person must hold who goes through it; empty: nothing.
    """

    LATER: ClassVar[Mapping[str, int]] = MappingProxyType({"qualification": 3})

    kind: Literal["instruction"] = "instruction"
    at: EquipmentClass
    use: Literal["job", "checklist", "handover"] = "job"
    role: str = Field(max_length=40)
    steps: tuple[InstructionStep, ...] = Field(min_length=1, max_length=100)
    qualification: Qualification = ""
