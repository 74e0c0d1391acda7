"""Faults of a KPI's definition that a schema alone cannot find: formulas that do not compile, elements of another KPI,
cases that come out otherwise."""

from __future__ import annotations

from shared.rules.check import ENGINE
from shared.rules.port import Failed, Missing, SourceError
from shared.standards.iso22400 import ELEMENTS_OF
from shared.standards.kpi_kind import Kpi, KpiCase, KpiFormula


def kpi_faults(document: Kpi) -> list[str]:
    """Everything wrong with the definition, in sentences."""
    faults = [fault for formula in document.formulas for fault in _formula_faults(formula)]
    faults += _name_faults(document)
    return faults or [fault for case in document.cases for fault in _case_faults(document, case)]


def _formula_faults(formula: KpiFormula) -> list[str]:
    names = [use.name for use in formula.measures]
    if len(set(names)) < len(names):
        return [f"at {formula.at}: a measure name is used twice"]
    try:
        compiled = ENGINE.compile(formula.formula, dict.fromkeys(names, "number"))
    except SourceError as error:
        return [f"at {formula.at}: {error}"]
    return [] if compiled.result_type == "number" else [f"at {formula.at}: the formula gives a {compiled.result_type}"]


def _name_faults(document: Kpi) -> list[str]:
    """A KPI that says it is one of ISO 22400-2 uses that one's elements and no others."""
    if not document.iso22400:
        return []
    elements = ELEMENTS_OF.get(document.iso22400)
    if elements is None:
        return [f"{document.iso22400} is no KPI of ISO 22400-2"]
    return [
        f"at {formula.at}: {use.name} stands for {use.element or 'no element'}, {document.iso22400} is made of "
        + ", ".join(elements)
        for formula in document.formulas
        for use in formula.measures
        if use.element not in elements
    ]


def _case_faults(document: Kpi, case: KpiCase) -> list[str]:
    formula = next((formula for formula in document.formulas if formula.at == case.at), None)
    if formula is None:
        return [f"case {case.name!r} is at {case.at}, where the KPI has no formula"]
    gives = _figure_milli(formula, case)
    if gives == case.gives_milli:
        return []
    return [f"case {case.name!r} must give {_text(case.gives_milli)}, it gives {_text(gives)} {formula.unit}".rstrip()]


def _figure_milli(formula: KpiFormula, case: KpiCase) -> int | None:
    compiled = ENGINE.compile(formula.formula, {use.name: "number" for use in formula.measures})
    found = compiled.evaluate({name: float(total) for name, total in case.sums.items()})
    if isinstance(found, Missing | Failed) or isinstance(found.value, bool | str):
        return None
    try:
        return round(found.value * 1000)
    except (OverflowError, ValueError):  # divided by nothing
        return None


def _text(milli: int | None) -> str:
    return "no figure" if milli is None else f"{milli / 1000:g}"
