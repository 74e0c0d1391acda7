"""Refusals around figures."""

from __future__ import annotations

from collections.abc import Sequence

from shared.errors import BadInput, NotFound, Refused


def unknown_stop(stop_id: str) -> NotFound:
    """No such stop here."""
    return NotFound(
        "performance.unknown_stop", f"No stop {stop_id!r} is recorded here.", todo="Choose one of the list."
    )


def bad_reason(reason: str) -> BadInput:
    """A reason must stand in the tree."""
    return BadInput(
        "performance.bad_reason",
        f"{reason!r} is no reason of the tree.",
        todo="Begin with EL, ME, OP, EX or PL, as in ME-TAB.",
    )


def unknown_reason(reason: str, known: list[str]) -> BadInput:
    """The plant has adopted a tree, and this is none of its leaves."""
    return BadInput(
        "performance.bad_reason",
        f"{reason!r} is no reason of the tree in force here.",
        todo=f"Choose one of {', '.join(known[:30])}.",
    )


def empty_note() -> BadInput:
    """A handover without words."""
    return BadInput("performance.empty_note", "The note is empty.", todo="Write what the next shift must know.")


def bad_day(day: str) -> BadInput:
    """No date."""
    return BadInput("performance.bad_day", f"{day!r} is no production day.", todo="Write it as 2026-03-11.")


def day_not_over(day: str, until: str) -> Refused:
    """A day that still runs cannot be closed."""
    return Refused(
        "performance.day_not_over", f"The production day {day} ends at {until}.", todo="Close it after that."
    )


def day_is_closed(day: str) -> Refused:
    """Nothing changed since it was closed."""
    return Refused(
        "performance.day_closed",
        f"{day} is closed, and nothing changed since.",
        todo="A correction or a late report opens it again by itself.",
    )


def day_unexplained(day: str, classes: Sequence[str], imbalances: int) -> Refused:
    """Outside the tolerance of a class, or with open imbalances: only a signature closes it."""
    said = f"unexplained mass outside the tolerance at {', '.join(classes)}" if classes else ""
    also = f"{imbalances} open imbalances" if imbalances else ""
    return Refused(
        "performance.day_unexplained",
        f"{day} has {' and '.join(part for part in (said, also) if part)}.",
        kept="The day stays open.",
        todo="Correct or explain the operations of the list, or sign with a reason.",
    )


def unknown_operation(operation_id: str) -> NotFound:
    """No such operation here."""
    return NotFound(
        "performance.unknown_operation",
        f"No operation {operation_id!r} is recorded here.",
        todo="Choose one of the list.",
    )


def no_imbalance() -> Refused:
    """It balances."""
    return Refused(
        "performance.no_imbalance", "This operation has no unexplained mass.", todo="Read the list of imbalances again."
    )


def no_explanation() -> BadInput:
    """A word without a word."""
    return BadInput("performance.no_explanation", "The explanation is missing.", todo="Say where the mass went.")


def unknown_dashboard(standard_id: str) -> NotFound:
    """No dashboard of that name is in force here."""
    return NotFound("performance.no_dashboard", f"No dashboard {standard_id} is in force here.", todo="Choose another.")
