"""Asking rules and keeping their answers: which version, which inputs, which explanation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from local_mes.quality.deed import Deed
from local_mes.standards.service import RuleInForce, find_rule
from shared.quality.facts import CheckDecided
from shared.rules.document import Consequence
from shared.rules.evaluate import Outcome, Stored, evaluate
from shared.standards.documents import QualityRule
from shared.standards.queries import list_documents_in_force

NO_RULE = "No quality rule in force at this plant asks at {}, so nothing was checked."
Answer = tuple[RuleInForce | None, CheckDecided]
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
    for adopted, document in list_documents_in_force(conn, plant, "quality_rule"):
        if isinstance(document, QualityRule) and event in document.rule.when:
            found.append(RuleInForce(adopted.standard_id, adopted.version, adopted.sha256, document))
    return found


def ask_all(deed: Deed, event: str, material_id: str, inputs: Mapping[str, Stored]) -> list[Decision]:
    """Ask every rule of an event about a piece and record the answers; a rule that does not speak of it records nothing.

    Where no rule is in force at all that is said once, because "not checked" is not "in order".
    """
    rules = rules_at(deed.conn, deed.plant.code, event)
    if not rules:
        nothing = CheckDecided(
            decision_id=deed.mint(),
            rule_id="",
            rule_version=0,
            rule_hash="",
            material_id=material_id,
            outcome="no_rule",
            inputs={},
            explanation=NO_RULE.format(event),
        )
        return _record(deed, [(None, nothing)])
    return _record(deed, [answer for rule in rules if (answer := _answer(deed, rule, material_id, inputs))])


def ask(deed: Deed, rule: RuleInForce, material_id: str, inputs: Mapping[str, Stored]) -> Decision | None:
    """Ask one rule; None when it does not speak of such a piece (nothing is recorded then)."""
    answer = _answer(deed, rule, material_id, inputs)
    return _record(deed, [answer])[0] if answer else None


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


def _answer(deed: Deed, rule: RuleInForce, material_id: str, inputs: Mapping[str, Stored]) -> Answer | None:
    outcome = evaluate(rule.rule, inputs)
    said = said_of(outcome)
    if not said:
        return None
    kept = {name: int(value) if isinstance(value, bool) else value for name, value in outcome.inputs.items()}
    return rule, CheckDecided(
        decision_id=deed.mint(),
        rule_id=rule.rule_id,
        rule_version=rule.version,
        rule_hash=rule.hash,
        material_id=material_id,
        outcome=said,
        inputs=kept,
        explanation=explain(outcome),
    )


def _record(deed: Deed, answers: Sequence[Answer]) -> list[Decision]:
    drafts = [
        deed.draft(fact, (fact.material_id, fact.decision_id), standard=rule.ref if rule else None)
        for rule, fact in answers
    ]
    return [
        Decision(f.decision_id, fact_id, f.rule_id, f.outcome, f.explanation, rule.rule.otherwise if rule else None)
        for (rule, f), fact_id in zip(answers, deed.record_all(drafts), strict=True)
    ]
