"""What can be refused about the group's rules."""

from __future__ import annotations

from shared.errors import NotFound, Refused


def no_decision(decision_id: str) -> NotFound:
    """No such decision here."""
    return NotFound("group_rules.no_decision", f"There is no decision {decision_id}.", todo="Choose one of the list.")


def no_task(action: int) -> NotFound:
    """The workflow has no such step."""
    return NotFound("group_rules.no_task", f"The workflow asks for no step {action}.", todo="Choose one of the list.")


def done_already() -> Refused:
    """Somebody was quicker."""
    return Refused("group_rules.done", "This was done already.", kept="What was written down first stays.")
