"""What a fact of a plant says to the rules of the hub: inputs in stored units, when it happened, of which piece. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from shared.journal.fact import AppliedFact, Payload
from shared.performance.facts import StopRecorded
from shared.quality.facts import CheckDecided, HoldPlaced, HoldReleased, SampleAnalysed
from shared.rules.condition import Truth
from shared.rules.evaluate import Outcome, Stored, applies
from shared.standards.facts import DeviationDeclared, StandardsRejected
from shared.standards.group_rule import GroupRule

KEY_MAX = 200
"""Characters of a key as they are; a longer one is told apart by its hash, so that an index holds it."""

REASON_MAX = 300
"""Characters kept of what a rule raises."""


@dataclass(frozen=True)
class Said:
    """A fact as rules see it. piece: the main subject, for counting different ones."""

    about: str
    fact_id: str
    plant: str
    piece: str
    at_ms: int
    inputs: Mapping[str, Stored]


_READ: Mapping[type[Payload], tuple[str, Callable[[Any], dict[str, Stored]]]] = {
    CheckDecided: ("check", lambda p: {"rule": p.rule_id, "outcome": p.outcome}),
    HoldPlaced: ("hold", lambda p: {"rule": p.rule_id, "reason": p.reason}),
    HoldReleased: ("release", lambda p: {"disposition": p.disposition}),
    SampleAnalysed: ("sample", lambda p: {"place": p.place, **{r.element: r.value_e6 for r in p.results}}),
    StopRecorded: ("stop", lambda p: {"unit": p.unit, "reason": p.reason, "duration": p.to_ms - p.from_ms}),
    StandardsRejected: ("refusal", lambda p: {"code": p.code}),
    DeviationDeclared: ("deviation", lambda p: {"standard": p.standard_id, "parameter": p.parameter}),
}
TYPES_OF: Mapping[str, str] = {about: payload.__name__ for payload, (about, _) in _READ.items()}
"""Kind of fact a rule is about -> type in the journal."""


def said_by(fact: AppliedFact[Any]) -> Said | None:
    """The fact as rules see it; None for one that no rule can be about."""
    known = _READ.get(type(fact.payload))
    if known is None:
        return None
    about, read = known
    inputs = {"plant": fact.author, **read(fact.payload)}
    piece = getattr(fact.payload, "material_id", "") or (fact.subjects[0] if fact.subjects else "")
    return Said(about, fact.fact_id, fact.author, piece, fact.occurred.at_ms, inputs)


def key_of(rule: GroupRule, said: Said) -> str:
    """What counting is kept apart by, in words: "plant ALD, unit CC1"; empty for the whole group."""
    key = ", ".join(f"{name} {said.inputs.get(name, '')}" for name in rule.per)
    return key if len(key) <= KEY_MAX else f"{key[:KEY_MAX]} {hashlib.sha256(key.encode()).hexdigest()[:16]}"


def speaks_of(rule: GroupRule, said: Said) -> Truth:
    """Whether the rule is about this fact: of its kind, from a plant it is for, and it applies; only then it counts."""
    if rule.about != said.about or (rule.scope.plants and said.plant not in rule.scope.plants):
        return "false"
    try:
        return applies(rule.check, said.inputs)
    except Exception:  # noqa: BLE001 - asked, it raises the same, and that is told
        return "failed"


def ask(rule: GroupRule, inputs: Mapping[str, Stored]) -> Outcome:
    """What the rule says; of one that raises, that it cannot be evaluated: the fault is its own and stops no other."""
    try:
        return rule.ask(inputs)
    except Exception as error:  # noqa: BLE001 - a rule that this version cannot run has no name for why
        said = {name: value for name, value in inputs.items() if value is not None}
        return Outcome("failed", None, (), said, reason=f"The rule cannot be evaluated: {error}"[:REASON_MAX])
