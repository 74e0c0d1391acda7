"""What an author is told before anybody else sees the draft: faults that a schema alone cannot find."""

from __future__ import annotations

from shared.rules import check as rules
from shared.rules.check import Fault
from shared.rules.evaluate import Outcome, evaluate
from shared.standards.dashboard_kind import Dashboard
from shared.standards.documents import AnyStandard, Kpi, QualityRule, Routing, RuleCase
from shared.standards.group_rule import GroupRule, group_rule_faults
from shared.standards.kpi_check import kpi_faults
from shared.standards.product_kinds import Practice
from shared.standards.workflow_kind import WITHIN_MIN_MAX, Workflow

TRANSPORT = "transport"
"""The class of the step that is the border between two plants; no plant needs to have it."""
WORDS = ("grade", "kind", "product")
"""What is known of a piece in words: no range can bound it."""


def document_faults(document: AnyStandard) -> list[str]:
    """Everything wrong with a document, in sentences; empty when it can be submitted."""
    return [fault.text for fault in placed_faults(document)]


def placed_faults(document: AnyStandard) -> list[Fault]:
    """The same, each with the field at fault."""
    if isinstance(document, QualityRule):
        return rules.placed_faults(document.rule) or _case_faults(document)
    if isinstance(document, GroupRule):
        return group_rule_faults(document)
    if isinstance(document, Kpi):
        return [Fault("cases" if text.startswith("case ") else "formulas", text) for text in kpi_faults(document)]
    if isinstance(document, Routing):
        return _routing_faults(document)
    if isinstance(document, Dashboard):
        silent = [kpi for kpi in document.kpis if kpi not in document.depends]
        return [Fault("depends", f"it shows {kpi}, so it depends on it") for kpi in silent]
    if isinstance(document, Practice):
        return _range_faults(document)
    if isinstance(document, Workflow):
        return _time_faults(document)
    return []


def case_outcomes(document: AnyStandard) -> list[tuple[RuleCase, Outcome]]:
    """What a rule says to each of its cases; nothing while the rule itself is at fault."""
    if not isinstance(document, QualityRule) or rules.placed_faults(document.rule):
        return []
    return [(case, evaluate(document.rule, case.inputs)) for case in document.cases]


def _case_faults(document: QualityRule) -> list[Fault]:
    return [
        Fault(
            f"cases.{n}.outcome",
            f"case {case.name!r} must come out {case.outcome}, it comes out {found.outcome}: {found.reason}",
        )
        for n, (case, found) in enumerate(case_outcomes(document))
        if found.outcome != case.outcome
    ]


def _range_faults(document: Practice) -> list[Fault]:
    return [
        Fault(f"columns.{n}.of", f"{column.name} bounds {column.of}, which is a word: it can be a key alone")
        for n, column in enumerate(document.columns)
        if column.role in ("from", "to") and column.of in WORDS
    ]


def _time_faults(document: Workflow) -> list[Fault]:
    return [
        Fault(f"actions.{n}.within_min", f"step {n + 1} gives {action.within_min} minutes; {WITHIN_MIN_MAX} at most")
        for n, action in enumerate(document.actions)
        if action.within_min > WITHIN_MIN_MAX
    ]


def _routing_faults(document: Routing) -> list[Fault]:
    used = {name for step in document.steps for name in step.all_classes}
    return [
        Fault(f"parameters.{n}.of", f"parameter {parameter.name} belongs to {parameter.of}, which no step uses")
        for n, parameter in enumerate(document.parameters)
        if parameter.of not in used
    ]
