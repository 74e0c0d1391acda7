"""Asking the quality rules in force about a piece at an event of its making, and holding it where one is broken."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from local_mes.level2.operations import Work
from local_mes.quality.service import Decision, Deed, ask_all, place
from shared.quality.queries import open_holds
from shared.rules.evaluate import Stored


def deed_of(work: Work) -> Deed:
    """What a message tells, as a deed of its link: ids derive from the message."""
    return Deed(work.plant, work.tx, work.message.source, work.message.occurred, work.new_id)


def check_piece(work: Work, event: str, material_id: str, inputs: Mapping[str, Stored]) -> list[Decision]:
    """Ask every rule of the event; a broken one whose consequence is a hold holds the piece and names its workflow."""
    deed = deed_of(work)
    decisions = ask_all(deed, event, material_id, inputs)
    for decision in decisions:
        if decision.outcome == "hold":
            _hold(deed, material_id, decision)
    return decisions


def _hold(deed: Deed, material_id: str, decision: Decision) -> None:
    if any(held.rule_id == decision.rule_id for held in open_holds(deed.conn, material_id)):
        return
    rule = decision.otherwise
    parts = [f"{decision.rule_id}: {decision.explanation.rstrip('.')}."]
    if rule is not None:
        parts += [text for text in (rule.note, f"Workflow {rule.workflow}." if rule.workflow else "") if text]
    place(deed, material_id, " ".join(parts), decision.rule_id, decision.decision_id)


def pass_on_holds(work: Work, parent_ids: Sequence[str], child_id: str) -> None:
    """A child of a held piece is born held, each hold under the one it comes from."""
    deed = deed_of(work)
    for held in [h for parent in parent_ids for h in open_holds(work.conn, parent)]:
        place(deed, child_id, held.reason, held.rule_id, held.decision_id, above=held.hold_id)
