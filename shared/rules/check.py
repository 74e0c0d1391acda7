"""Checking a rule when it is written: every mistake the type checker can find is found here, not in a plant at night."""

from __future__ import annotations

from shared.rules.document import Expression, Limits, Rule
from shared.rules.port import SourceError, ValueType
from shared.rules.program import ENGINE, compiled
from shared.rules.vocabulary import ELEMENTS, INTERNAL_PER_UNIT, variables_of

__all__ = ["ENGINE", "compiled", "declared", "rule_faults"]


def rule_faults(rule: Rule) -> list[str]:
    """Everything wrong with a rule, in sentences; empty when it can be published."""
    if isinstance(rule.check, Limits):
        unknown = {limit.element for grade in rule.check.grades for limit in grade.limits} - set(ELEMENTS)
        return [f"{name} is not an element of an analysis" for name in sorted(unknown)]
    if not isinstance(rule.check, Expression):
        return []
    faults = [fault for event in rule.when for fault in _variable_faults(rule.check, event)]
    return faults or _source_faults(rule.check)


def _variable_faults(check: Expression, event: str) -> list[str]:
    offered = variables_of(event)
    faults = []
    for used in check.variables:
        known = offered.get(used.name)
        if known is None:
            faults.append(f"{event} offers no variable {used.name}; it has {', '.join(offered)}")
        elif (known.type, known.unit) != (used.type, used.unit):
            faults.append(
                f"{used.name} is a {known.type} in {known.unit or 'no unit'} at {event}, "
                f"not a {used.type} in {used.unit or 'no unit'}"
            )
        elif used.unit not in INTERNAL_PER_UNIT:
            faults.append(f"the unit {used.unit} is not known")
    return faults


def _source_faults(check: Expression) -> list[str]:
    faults = []
    for field, source in (("applies", check.applies), ("condition", check.condition)):
        try:
            if source or field == "condition":
                compiled(source, declared(check))
        except SourceError as error:
            faults.append(f"{field}: {error}")
    return faults


def declared(check: Expression) -> tuple[tuple[str, ValueType], ...]:
    """The types of an expression's variables, in a form that can be a cache key."""
    return tuple((used.name, used.type) for used in check.variables)
