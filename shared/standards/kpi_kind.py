"""The definition of a KPI: base measures summed first, the ratio last; how each is collected; cases that try it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from shared.standards.frame import Document, EquipmentClass, Grown, ParameterName, Strict

Element = Annotated[str, Field(pattern=r"^[A-Z_]{0,12}$")]


class MeasureUse(Grown):
    """A base measure summed over the units of a class, under the name the formula uses.

    element    the ISO 22400-2 element it stands for, by its acronym (APT, GQ ...)
    collected  how it must be collected to be comparable: by Level 2 or by hand; basis: weighed or theoretical
    """

    LATER: ClassVar[Mapping[str, int]] = MappingProxyType({"element": 3, "collected": 3, "basis": 3})

    name: ParameterName
    of: EquipmentClass
    measure: ParameterName
    element: Element = Field("")
    collected: Literal["", "automatic", "manual"] = Field("")
    basis: Literal["", "weighed", "theoretical"] = Field("")


class KpiFormula(Strict):
    """The formula at one place of the road; sums first, the ratio last."""

    at: EquipmentClass
    title: str
    measures: tuple[MeasureUse, ...] = Field(min_length=1)
    formula: str
    unit: str


class KpiCase(Strict):
    """A case that travels with a KPI: sums in stored units by the formula's names, and the figure that must come out.

    gives_milli: in thousandths of the formula's unit, rounded; None: the figure cannot be said.
    """

    name: str = Field(min_length=3, max_length=100)
    at: EquipmentClass
    sums: dict[ParameterName, int]
    gives_milli: int | None


class Kpi(Document, Grown):
    """A KPI's definition: one formula for each place it is taken at. iso22400: its name in ISO 22400-2, if it has one."""

    LATER: ClassVar[Mapping[str, int]] = MappingProxyType({"iso22400": 3, "cases": 3})

    kind: Literal["kpi"] = "kpi"
    better: Literal["higher", "lower"]
    formulas: tuple[KpiFormula, ...] = Field(min_length=1)
    iso22400: str = Field("", max_length=60)
    cases: tuple[KpiCase, ...] = Field((), max_length=200)
