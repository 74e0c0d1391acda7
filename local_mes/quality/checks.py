"""Asking rules and keeping their answers: which version, which inputs, which explanation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection

from local_mes.quality.deed import Deed
from local_mes.standards.service import RuleInForce, find_rule
from shared.quality.facts import CheckDecided
from shared.rules.document import Consequence
from shared.rules.evaluate import Outcome, Stored, evaluate
from shared.standards.documents import QualityRule
from shared.standards.queries import find_document, list_in_force

NO_RULE = "No quality rule in force at this plant asks at {}, so nothing was checked."
_SAID = {"in_order": "pass", "pending": "pending", "failed": "failed"}


@dataclass(frozen=True)
class Decision:
    """A rule's answer as recorded. outcome: pass | hold | mark | case | pending | failed | no_rule."""

    decision_id: str
    fact_id: str
    rule_id: str
    outcome: str
    explanation: str
    otherwise: Consequence | None = None

    @property
    def share_threshold_ppm(self) -> int:
        """From which share of a held heat on a slab is held: as the rule says, else every slab that has any of it."""
        return (self.otherwise.share_threshold_ppm if self.otherwise else None) or 1


def rules_at(conn: Connection, plant: str, event: str) -> list[RuleInForce]:
    """The quality rules in force here that are asked at an event, by id."""
    found = []
    for adopted in list_in_force(conn, plant):
        document = find_document(conn, adopted.standard_id, adopted.version, adopted.sha256)
        if isinstance(document, QualityRule) and event in document.rule.when:
            found.append(RuleInForce(adopted.standard_id, adopted.version, adopted.sha256, document))
    return found


def ask_all(deed: Deed, event: str, material_id: str, inputs: Mapping[str, Stored]) -> list[Decision]:
    """Ask every rule of an event about a piece and record the answers; a rule that does not speak of it records nothing.

    Where no rule is in force at all that is said once, because "not checked" is not "in order".
    """
    rules = rules_at(deed.conn, deed.plant.code, event)
    if not rules:
        return [_record(deed, None, "", material_id, "no_rule", {}, NO_RULE.format(event))]
    answers = (ask(deed, rule, material_id, inputs) for rule in rules)
    return [decision for decision in answers if decision is not None]


def ask(deed: Deed, rule: RuleInForce, material_id: str, inputs: Mapping[str, Stored]) -> Decision | None:
    """Ask one rule; None when it does not speak of such a piece (nothing is recorded then)."""
    outcome = evaluate(rule.rule, inputs)
    said = said_of(outcome)
    if not said:
        return None
    return _record(deed, rule, rule.rule_id, material_id, said, dict(outcome.inputs), explain(outcome))


def ask_again(deed: Deed, rule_id: str, material_id: str, inputs: Mapping[str, Stored]) -> Decision | None:
    """Ask the rule in force under this id, as evidence; None when there is none or it does not speak of the piece."""
    rule = find_rule(deed.conn, rule_id) if rule_id else None
    return ask(deed, rule, material_id, inputs) if rule else None


def said_of(outcome: Outcome) -> str:
    """The outcome in the words of CheckDecided; empty when the rule does not apply."""
    return str(outcome.action) if outcome.violated else _SAID.get(outcome.outcome, "")


def explain(outcome: Outcome) -> str:
    """What was compared, as a person reads it: what speaks against the piece, else every comparison."""
    return outcome.reason or "; ".join(line.text for line in outcome.explanation)


def _record(
    deed: Deed,
    rule: RuleInForce | None,
    rule_id: str,
    material_id: str,
    outcome: str,
    inputs: Mapping[str, int | float | str | bool],
    explanation: str,
) -> Decision:
    decision_id = deed.mint()
    kept = {name: int(value) if isinstance(value, bool) else value for name, value in inputs.items()}
    fact = CheckDecided(
        decision_id=decision_id,
        rule_id=rule_id,
        rule_version=rule.version if rule else 0,
        rule_hash=rule.hash if rule else "",
        material_id=material_id,
        outcome=outcome,
        inputs=kept,
        explanation=explanation,
    )
    fact_id = deed.record(fact, (material_id, decision_id), standard=rule.ref if rule else None)
    return Decision(decision_id, fact_id, rule_id, outcome, explanation, rule.rule.otherwise if rule else None)
