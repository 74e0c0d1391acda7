"""Refusals about cases and swapped labels: each says what, and what to do."""

from __future__ import annotations

from shared.errors import BadInput, NotFound, Refused


def no_evidence() -> BadInput:
    """A swap without a word of how it is known."""
    return BadInput("cases.evidence", "The evidence is missing.", todo="Say what was compared: size, mass, a stamp.")


def unknown_receipt(wanted: str) -> NotFound:
    """No such receipt of this plant."""
    return NotFound("cases.unknown_receipt", f"Nothing was taken in here as {wanted}.", todo="Check the number.")


def not_swappable(what: str, todo: str) -> Refused:
    """Two receipts that cannot be each other's."""
    return Refused("cases.not_swappable", what, todo=todo)


def swapped_already(one: str, other: str) -> Refused:
    """The same two, from the other one's case."""
    return Refused(
        "cases.swapped_already",
        f"{one} and {other} are exchanged already.",
        todo="Read the case. If that was wrong, say so in its conversation.",
    )
