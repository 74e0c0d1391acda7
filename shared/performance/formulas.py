"""KPI formulas over base measures: sums first, the ratio last, with every sum that went into it. Pure.

A ratio of averages is not the average of ratios, so a formula only ever sees sums over the units and days asked for.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from shared.rules.check import ENGINE
from shared.rules.port import Compiled, Failed, Missing
from shared.standards.documents import Kpi, KpiFormula
from shared.units import G_PER_T

MS_PER_H = 3_600_000

SumsByClass = Mapping[str, Mapping[str, int]]
"""Equipment class -> base measure -> sum."""


@dataclass(frozen=True)
class MeasureSum:
    """What a name of a formula stood for: a base measure summed over the units of a class, in stored units."""

    name: str
    measure: str
    of: str
    total: int


@dataclass(frozen=True)
class KpiFigure:
    """One formula's value with its pedigree: in `unit`, None when it cannot be said (then `why` says why)."""

    at: str
    title: str
    unit: str
    formula: str
    value: float | None
    measures: tuple[MeasureSum, ...]
    why: str = ""


def evaluate_kpi(kpi: Kpi, sums: SumsByClass) -> list[KpiFigure]:
    """The figures of every place of the definition that these sums have equipment for."""
    return [evaluate_formula(formula, sums) for formula in kpi.formulas if formula.at in sums]


def evaluate_formula(formula: KpiFormula, sums: SumsByClass) -> KpiFigure:
    """One figure; a measure nobody counted is missing, not zero."""
    measures = tuple(
        MeasureSum(use.name, use.measure, use.of, sums[use.of][use.measure])
        for use in formula.measures
        if use.of in sums and use.measure in sums[use.of]
    )
    names = tuple(use.name for use in formula.measures)
    result = _compiled(formula.formula, names).evaluate({found.name: float(found.total) for found in measures})
    if isinstance(result, Missing):
        missing = [f"{use.measure} at {use.of}" for use in formula.measures if use.name in result.names]
        return _figure(formula, None, measures, f"Nobody counted {', '.join(missing)}.")
    if isinstance(result, Failed) or isinstance(result.value, bool | str) or not math.isfinite(result.value):
        return _figure(formula, None, measures, "The formula divides by nothing.")
    return _figure(formula, float(result.value), measures, "")


def sum_text(found: MeasureSum) -> str:
    """A sum as people read it: masses in t, durations in h."""
    if found.measure.endswith("_g"):
        return f"{found.name} {found.total / G_PER_T:,.1f} t"
    if found.measure.endswith("_ms"):
        return f"{found.name} {found.total / MS_PER_H:,.2f} h"
    return f"{found.name} {found.total:,}"


def sums_by_class(by_unit: Mapping[str, Mapping[str, int]], classes: Mapping[str, str]) -> dict[str, dict[str, int]]:
    """Sums of units added up by equipment class; a class without any figures is present and empty."""
    found: dict[str, dict[str, int]] = {unit_class: {} for unit_class in classes.values()}
    for unit in set(by_unit) & set(classes):
        into = found[classes[unit]]
        for measure, total in by_unit[unit].items():
            into[measure] = into.get(measure, 0) + total
    return found


def _figure(formula: KpiFormula, value: float | None, measures: tuple[MeasureSum, ...], why: str) -> KpiFigure:
    return KpiFigure(formula.at, formula.title, formula.unit, formula.formula, value, measures, why)


@lru_cache(maxsize=200)  # formulas in force in a group: tens
def _compiled(source: str, names: tuple[str, ...]) -> Compiled:
    return ENGINE.compile(source, dict.fromkeys(names, "number"))
