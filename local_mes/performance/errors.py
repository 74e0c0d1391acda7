"""Refusals around figures."""

from __future__ import annotations

from shared.errors import BadInput, NotFound


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


def empty_note() -> BadInput:
    """A handover without words."""
    return BadInput("performance.empty_note", "The note is empty.", todo="Write what the next shift must know.")
