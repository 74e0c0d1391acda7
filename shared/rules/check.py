"""Checking a rule when it is written: every mistake the type checker can find is found here, not in a plant at night."""

from __future__ import annotations

from dataclasses import dataclass

from shared.rules.document import Expression, Limits, Rule
from shared.rules.measures import UnitError, measure
from shared.rules.port import SourceError, ValueType
from shared.rules.program import ENGINE, compiled
from shared.rules.unit_check import unit_of
from shared.rules.vocabulary import ELEMENTS, INTERNAL_PER_UNIT, variables_of

__all__ = ["ENGINE", "Fault", "compiled", "declared", "placed_faults", "rule_faults"]


@dataclass(frozen=True)
class Fault:
    """What is wrong, in a sentence, and at which field of the document ("rule.check.condition")."""

    path: str
    text: str


def rule_faults(rule: Rule) -> list[str]:
    """Everything wrong with a rule, in sentences; empty when it can be published."""
    return [fault.text for fault in placed_faults(rule)]


def placed_faults(rule: Rule) -> list[Fault]:
    """The same with their fields, of a document whose rule is its field `rule`."""
    if isinstance(rule.check, Limits):
        return [
            Fault(f"rule.check.grades.{g}.limits.{n}.element", f"{limit.element} is not an element of an analysis")
            for g, grade in enumerate(rule.check.grades)
            for n, limit in enumerate(grade.limits)
            if limit.element not in ELEMENTS
        ]
    if not isinstance(rule.check, Expression):
        return []
    faults = [fault for event in rule.when for fault in _variable_faults(rule.check, event)]
    return faults or _source_faults(rule.check)


def _variable_faults(check: Expression, event: str) -> list[Fault]:
    offered = variables_of(event)
    faults = []
    for n, used in enumerate(check.variables):
        known = offered.get(used.name)
        said = ""
        if known is None:
            said = f"{event} offers no variable {used.name}; it has {', '.join(offered)}"
        elif (known.type, known.unit) != (used.type, used.unit):
            said = (
                f"{used.name} is a {known.type} in {known.unit or 'no unit'} at {event}, "
                f"not a {used.type} in {used.unit or 'no unit'}"
            )
        elif used.unit not in INTERNAL_PER_UNIT:
            said = f"the unit {used.unit} is not known"
        faults += [Fault(f"rule.check.variables.{n}.name", said)] if said else []
    return faults


def _source_faults(check: Expression) -> list[Fault]:
    measures = {used.name: measure(used.unit) for used in check.variables if used.type == "number"}
    faults = []
    for field, source in (("applies", check.applies), ("condition", check.condition)):
        try:
            if source or field == "condition":
                compiled(source, declared(check))
                unit_of(source, measures)
        except (SourceError, UnitError) as error:
            faults.append(Fault(f"rule.check.{field}", f"{field}: {error}"))
    return faults


def declared(check: Expression) -> tuple[tuple[str, ValueType], ...]:
    """The types of an expression's variables, in a form that can be a cache key."""
    return tuple((used.name, used.type) for used in check.variables)
