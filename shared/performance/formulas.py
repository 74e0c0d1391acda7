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

SumsByClass = Mapping[str, Mapping[str, int]]
"""Equipment class -> base measure -> sum."""


@dataclass(frozen=True)
class KpiFigure:
    """One formula's value with its pedigree.

    value     in `unit`, None when it cannot be said (then `why` says why)
    measures  the formula's names -> the sums they stood for, in stored units
    """

    at: str
    title: str
    unit: str
    formula: str
    value: float | None
    measures: Mapping[str, int]
    why: str = ""


def evaluate_kpi(kpi: Kpi, sums: SumsByClass) -> list[KpiFigure]:
    """The figures of every place of the definition that these sums have equipment for."""
    return [evaluate_formula(formula, sums) for formula in kpi.formulas if formula.at in sums]


def evaluate_formula(formula: KpiFormula, sums: SumsByClass) -> KpiFigure:
    """One figure; a measure nobody counted is missing, not zero."""
    measures = {
        use.name: sums[use.of][use.measure]
        for use in formula.measures if use.of in sums and use.measure in sums[use.of]
    }
    names = tuple(use.name for use in formula.measures)
    result = _compiled(formula.formula, names).evaluate({name: float(value) for name, value in measures.items()})
    if isinstance(result, Missing):
        missing = [f"{use.measure} at {use.of}" for use in formula.measures if use.name in result.names]
        return _figure(formula, None, measures, f"Nobody counted {', '.join(missing)}.")
    if isinstance(result, Failed) or isinstance(result.value, bool | str) or not math.isfinite(result.value):
        return _figure(formula, None, measures, "The formula divides by nothing.")
    return _figure(formula, float(result.value), measures, "")


def sums_by_class(by_unit: Mapping[str, Mapping[str, int]], classes: Mapping[str, str]) -> dict[str, dict[str, int]]:
    """Sums of units added up by equipment class; a class without any figures is present and empty."""
    found: dict[str, dict[str, int]] = {unit_class: {} for unit_class in classes.values()}
    for unit in set(by_unit) & set(classes):
        into = found[classes[unit]]
        for measure, total in by_unit[unit].items():
            into[measure] = into.get(measure, 0) + total
    return found


def _figure(formula: KpiFormula, value: float | None, measures: Mapping[str, int], why: str) -> KpiFigure:
    return KpiFigure(formula.at, formula.title, formula.unit, formula.formula, value, measures, why)


@lru_cache(maxsize=200)  # formulas in force in a group: tens
def _compiled(source: str, names: tuple[str, ...]) -> Compiled:
    return ENGINE.compile(source, dict.fromkeys(names, "number"))
