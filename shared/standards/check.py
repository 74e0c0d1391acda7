"""What an author is told before anybody else sees the draft: faults that a schema alone cannot find."""

from __future__ import annotations

from shared.rules.check import ENGINE, rule_faults
from shared.rules.evaluate import evaluate
from shared.rules.port import SourceError
from shared.standards.documents import AnyStandard, Kpi, KpiFormula, QualityRule, Routing, RuleCase

TRANSPORT = "transport"
"""The class of the step that is the border between two plants; no plant needs to have it."""


def document_faults(document: AnyStandard) -> list[str]:
    """Everything wrong with a document, in sentences; empty when it can be submitted."""
    if isinstance(document, QualityRule):
        return rule_faults(document.rule) or [
            fault for case in document.cases for fault in _case_faults(document, case)
        ]
    if isinstance(document, Kpi):
        return [fault for formula in document.formulas for fault in _formula_faults(formula)]
    if isinstance(document, Routing):
        return _routing_faults(document)
    return []


def _case_faults(document: QualityRule, case: RuleCase) -> list[str]:
    found = evaluate(document.rule, case.inputs)
    if found.outcome == case.outcome:
        return []
    return [f"case {case.name!r} must come out {case.outcome}, it comes out {found.outcome}: {found.reason}"]


def _formula_faults(formula: KpiFormula) -> list[str]:
    names = [use.name for use in formula.measures]
    if len(set(names)) < len(names):
        return [f"at {formula.at}: a measure name is used twice"]
    try:
        compiled = ENGINE.compile(formula.formula, dict.fromkeys(names, "number"))
    except SourceError as error:
        return [f"at {formula.at}: {error}"]
    return [] if compiled.result_type == "number" else [f"at {formula.at}: the formula gives a {compiled.result_type}"]


def _routing_faults(document: Routing) -> list[str]:
    used = {name for step in document.steps for name in step.classes}
    return [
        f"parameter {parameter.name} belongs to {parameter.of}, which no step uses"
        for parameter in document.parameters
        if parameter.of not in used
    ]
