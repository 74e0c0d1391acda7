"""Refusals of orders and schedules."""

from __future__ import annotations

from collections.abc import Sequence

from shared.errors import BadInput, NotFound, Refused


def unknown_order(item: str) -> BadInput:
    """A schedule line names an order item nobody released."""
    return BadInput(
        "orders.unknown_item",
        f"Order item {item!r} is not released here.",
        todo="Release the order first, or write 'stock'.",
    )


def needs_sign_off(items: Sequence[str]) -> Refused:
    """Orders of critical grades while the standards are long stale."""
    return Refused(
        "orders.needs_sign_off",
        f"{', '.join(items)}: nobody has confirmed for long that the standards here are the latest, and the grade is critical.",
        kept="What is planned already goes on.",
        todo="Let quality sign the order off on the page Orders, For quality.",
    )


def own_time(items: Sequence[str]) -> Refused:
    """By when it was released an order of a critical grade is told from those that quality need not sign, or has signed."""
    return Refused(
        "orders.own_time",
        f"{', '.join(items)}: nobody has confirmed for long that the standards here are the latest, "
        "and an order of a critical grade is not released at a time of its own then.",
        kept="Nothing of it is released; what was released stays as it is.",
        todo="Release it without a time: it counts from now.",
    )


def released_meanwhile(item: str) -> Refused:
    """What is signed must be what was read."""
    return Refused(
        "orders.changed",
        f"Order item {item} was released anew after it was shown to you.",
        kept="Nothing is signed.",
        todo="Read it again, then decide.",
    )


def no_lines(unit: str) -> BadInput:
    """A schedule without lines says nothing."""
    return BadInput("orders.no_lines", f"The schedule for {unit} has no lines.", todo="Give at least one line.")


def doubled_position(unit: str, position: int) -> BadInput:
    """Two lines of one release at the same place."""
    return BadInput(
        "orders.doubled_position",
        f"Position {position} of {unit} is given twice.",
        todo="Number the lines of one schedule once each.",
    )


def unknown_line(line_id: str) -> NotFound:
    """No such schedule line."""
    return NotFound("orders.unknown_line", f"There is no schedule line {line_id!r}.", todo="Read the schedule again.")


def line_closed(line_id: str, state: str) -> Refused:
    """A line is closed once."""
    return Refused(
        "orders.line_closed", f"Schedule line {line_id} is {state} already.", todo="Read the schedule again."
    )
