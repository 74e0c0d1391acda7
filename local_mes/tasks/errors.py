"""Refusals about tasks, records and checklists."""

from __future__ import annotations

from shared.errors import BadInput, Denied, NotFound, Refused


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


def not_qualified(qualification: str) -> Denied:
    """The standard asks for a person who was trained for it."""
    return Denied(
        "tasks.not_qualified",
        f"This takes a person qualified for {qualification!r}, and no such qualification of yours is in force.",
        todo="Let somebody do it who holds it, or have yours entered or renewed.",
    )


def no_person(person_id: str) -> NotFound:
    """Qualifications are of people of this plant."""
    return NotFound("tasks.no_person", f"No person {person_id!r} works here.", todo="Choose one of the list.")


def run_out_already() -> BadInput:
    """A qualification until yesterday is none."""
    return BadInput("tasks.until", "The last day lies in the past.", todo="Give a day to come, or none.")


def never_given(qualification: str) -> NotFound:
    """Nothing to end."""
    return NotFound(
        "tasks.never_given", f"The person does not hold {qualification!r}.", todo="Look in the list of qualifications."
    )


def no_such_name(name: str) -> BadInput:
    """Written as standards write it, so that the two meet."""
    return BadInput(
        "tasks.qualification_name",
        f"{name!r} is no name of a qualification.",
        todo="Begin with a small letter; letters, figures, blanks, dots and dashes, at most 40.",
    )
