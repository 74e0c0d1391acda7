"""Refusals of planning and loading; each names the rule and says what can be done."""

from __future__ import annotations

from collections.abc import Sequence

from shared.errors import BadInput, NotFound, Refused


def unknown_plan(number: str, here: str) -> NotFound:
    """No such load is planned."""
    return NotFound(
        "loading.unknown", f"No load {number} is planned at {here}.", todo="Plan it, or open it from the list."
    )


def not_open(number: str, state: str) -> Refused:
    """A load that left or was cancelled is loaded no more."""
    words = {"left": "has left", "cancelled": "was cancelled"}
    return Refused(
        "loading.not_open",
        f"{number} {words.get(state, state)}.",
        todo="Plan another load; what left is corrected on its page as never having left.",
    )


def number_planned(number: str) -> Refused:
    """Two loads of one number."""
    return Refused("loading.number_planned", f"A load {number} is planned already.", todo="Leave the number empty.")


def over_limit(vehicle: str, limit_kg: int, on_it_kg: int, piece: str, piece_kg: int) -> Refused:
    """Weight: the vehicle's limit, over all loads on it."""
    return Refused(
        "loading.over_limit",
        f"{piece} weighs {piece_kg:,} kg; {vehicle} carries {on_it_kg:,} of at most {limit_kg:,} kg.",
        todo="Put it on another vehicle, or take something off.",
    )


def unweighed(piece: str) -> Refused:
    """Weight: nothing can be said of a piece without a mass."""
    return Refused(
        "loading.unweighed",
        f"No mass is known of {piece}, and the vehicle has a limit.",
        todo="Weigh it first.",
    )


def no_vehicle(vehicle: str, known: Sequence[str]) -> BadInput:
    """A wagon or bay that the load does not have."""
    return BadInput(
        "loading.no_vehicle", f"The load has no vehicle {vehicle!r}.", todo=f"Name {' or '.join(known)}, or none."
    )


def vehicle_twice(vehicle: str) -> BadInput:
    """One wagon listed twice."""
    return BadInput("loading.vehicle_twice", f"{vehicle} is listed twice.", todo="List each vehicle once.")


def on_other_load(piece: str, other: str) -> Refused:
    """A piece lies on one vehicle."""
    return Refused("loading.on_other_load", f"{piece} lies on the load {other}.", todo=f"Take it off {other} first.")


def loaded_already(piece: str, number: str) -> Refused:
    """The same touch by two people."""
    return Refused("loading.loaded_already", f"{piece} lies on {number} already.", todo="Nothing needs doing.")


def not_on_it(piece: str, number: str) -> NotFound:
    """Taking off what is not there."""
    return NotFound("loading.not_on_it", f"{piece} is not on {number}.", todo="Read the list again.")


def other_grade(piece: str, grade: str, item: str, wanted: str) -> Refused:
    """Order: the item asks for another grade."""
    return Refused(
        "loading.other_grade",
        f"{piece} is of grade {grade}; its order item {item} asks for {wanted}.",
        todo="Assign it to an order that takes this grade, or let quality decide.",
    )


def other_pieces(number: str, missing: Sequence[str], unseen: Sequence[str]) -> Refused:
    """A departure that was noted without a line says what lies on the vehicle; the books say otherwise."""
    parts = (("not booked on it", missing), ("booked on it, but not on the tablet's list", unseen))
    said = "; ".join(f"{how}: {', '.join(pieces)}" for how, pieces in parts if pieces)
    return Refused(
        "loading.other_pieces",
        f"{number} was not let go with other pieces than were seen on it. {said[0].upper()}{said[1:]}.",
        todo="Load what is on it, or take off what is not; then book the departure again.",
    )


def nothing_loaded(number: str) -> Refused:
    """A load leaves with what lies on it."""
    return Refused("loading.nothing_loaded", f"Nothing lies on {number}.", todo="Load a piece, or cancel the load.")
