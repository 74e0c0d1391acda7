"""Asking the quality rules in force about a piece, and what follows: the decision on record, the hold placed."""

from __future__ import annotations

from collections.abc import Mapping

from local_mes.level2.operations import Work
from local_mes.standards.service import Checked, check
from shared.quality.facts import CheckDecided, HoldPlaced
from shared.rules.evaluate import Stored

_OUTCOMES = {"in_order": "pass", "pending": "pending", "failed": "pending", "not_applicable": "pass"}


def ask(work: Work, rule_id: str, material_id: str, inputs: Mapping[str, Stored]) -> str:
    """Check a piece by the rule in force; returns pass | hold | mark | case | pending | no_rule.

    The decision is recorded whatever it says; a violated rule whose consequence is a hold places one.
    """
    checked = check(work.conn, rule_id, dict(inputs), work.message.occurred.at_ms)
    outcome = _outcome(checked)
    decision_id = work.new_id()
    rule = checked.rule
    explanation = "; ".join(line.text for line in checked.outcome.explanation) or checked.outcome.reason
    decided = CheckDecided(
        decision_id=decision_id, rule_id=rule_id, rule_version=rule.version if rule else 0,
        rule_hash=rule.hash if rule else "", material_id=material_id, outcome=outcome, explanation=explanation,
        inputs={n: int(v) if isinstance(v, bool) else v for n, v in checked.outcome.inputs.items()},
    )
    work.record(decided, [material_id], standard=rule.ref if rule else None)
    if outcome == "hold":
        _hold(work, checked, rule_id, material_id, decision_id)
    return outcome


def _outcome(checked: Checked) -> str:
    if checked.rule is None:
        return "no_rule"
    if checked.outcome.violated:
        return checked.outcome.action or "hold"
    return _OUTCOMES[checked.outcome.outcome]


def _hold(work: Work, checked: Checked, rule_id: str, material_id: str, decision_id: str) -> None:
    parts = [checked.outcome.reason]
    if checked.rule is not None:
        consequence = checked.rule.rule.otherwise
        parts += [consequence.note] if consequence.note else []
        parts += [f"Workflow {consequence.workflow}."] if consequence.workflow else []
    placed = HoldPlaced(hold_id=work.new_id(), material_id=material_id, reason=" ".join(parts), rule_id=rule_id,
                        decision_id=decision_id)
    work.record(placed, [material_id], standard=checked.rule.ref if checked.rule else None)
