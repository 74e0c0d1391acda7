"""Refusals about tasks, records and checklists."""

from __future__ import annotations

from shared.errors import BadInput, NotFound, Refused


def no_task(decision_id: str, action: int) -> NotFound:
    """No workflow asks for it."""
    return NotFound(
        "tasks.unknown", f"There is no task {action} of decision {decision_id} here.", todo="Look in the list of tasks."
    )


def done_already() -> Refused:
    """Somebody was quicker."""
    return Refused("tasks.done", "This task is done already.", todo="Open the list again to see by whom.")


def not_in_force(standard_id: str) -> NotFound:
    """What is filled in must be what the group asks."""
    return NotFound(
        "tasks.not_in_force", f"No form or checklist {standard_id} is in force here.", todo="Look in the list."
    )


def no_unit(unit: str, unit_class: str) -> BadInput:
    """The unit is not of the class the standard speaks of."""
    return BadInput("tasks.unit", f"{unit!r} is no {unit_class} of this plant.", todo="Choose a unit of the list.")


def faulty(faults: list[str]) -> BadInput:
    """Values do not pass."""
    return BadInput(
        "tasks.faulty", f"{'; '.join(faults)}.", kept="Nothing was recorded.", todo="Mend them and send again."
    )


def unconfirmed(numbers: list[int]) -> BadInput:
    """A step that must be confirmed is not, and nobody says why."""
    steps = ", ".join(map(str, numbers))
    return BadInput(
        "tasks.unconfirmed", f"Step {steps} is not confirmed.", todo="Confirm it, or write down why it is not."
    )
