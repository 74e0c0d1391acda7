"""What an author is told before anybody else sees the draft: faults that a schema alone cannot find."""

from __future__ import annotations

from shared.rules.check import rule_faults
from shared.rules.evaluate import evaluate
from shared.standards.documents import AnyStandard, Kpi, QualityRule, Routing, RuleCase
from shared.standards.kpi_check import kpi_faults

TRANSPORT = "transport"
"""The class of the step that is the border between two plants; no plant needs to have it."""


def document_faults(document: AnyStandard) -> list[str]:
    """Everything wrong with a document, in sentences; empty when it can be submitted."""
    if isinstance(document, QualityRule):
        return rule_faults(document.rule) or [
            fault for case in document.cases for fault in _case_faults(document, case)
        ]
    if isinstance(document, Kpi):
        return kpi_faults(document)
    if isinstance(document, Routing):
        return _routing_faults(document)
    return []


def _case_faults(document: QualityRule, case: RuleCase) -> list[str]:
    found = evaluate(document.rule, case.inputs)
    if found.outcome == case.outcome:
        return []
    return [f"case {case.name!r} must come out {case.outcome}, it comes out {found.outcome}: {found.reason}"]


def _routing_faults(document: Routing) -> list[str]:
    used = {name for step in document.steps for name in step.all_classes}
    return [
        f"parameter {parameter.name} belongs to {parameter.of}, which no step uses"
        for parameter in document.parameters
        if parameter.of not in used
    ]
