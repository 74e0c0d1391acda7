"""Refusals of what a person books at a unit; each names the rule. What Level 2 reports is never refused."""

from __future__ import annotations

from collections.abc import Sequence

from shared.errors import BadInput, Refused


def not_here(number: str, state: str) -> Refused:
    """Custody: only a live piece of this plant can be used."""
    words = {"shipped": "has left this plant", "consumed": "was used up", "scrapped": "was scrapped"}
    return Refused(
        "production.not_here",
        f"{number} {words.get(state, f'is {state}')}; only what is here can be used.",
        todo="Check the number on the piece.",
    )


def held(number: str, reason: str) -> Refused:
    """A hold blocks consumption by command."""
    return Refused(
        "production.held",
        f"{number} is held: {reason}.",
        todo="Ask quality for a release. If it is in the unit already, Level 2 or quality records that.",
    )


def no_booking(unit: str, unit_class: str, classes: Sequence[str]) -> Refused:
    """The unit makes nothing that one booking could tell."""
    return Refused(
        "production.no_booking",
        f"At {unit} ({unit_class}) nothing is booked by hand this way.",
        todo=f"It goes at units of class {', '.join(classes)}.",
    )


def no_mass() -> BadInput:
    """Nothing good and nothing scrapped."""
    return BadInput(
        "production.no_mass", "Neither good mass nor scrap was given.", todo="Give at least one of the two."
    )


def no_reason() -> BadInput:
    """Scrap without a reason."""
    return BadInput("production.no_reason", "Scrap needs a reason.", todo="Choose the reason of the scrap.")


def too_much(number: str, out_g: int, charged_g: int, most_g: int) -> Refused:
    """Mass balance: more came out than can have gone in."""
    return Refused(
        "production.balance",
        f"{out_g / 1000:,.0f} kg out of {number} with {charged_g / 1000:,.0f} kg: at most {most_g / 1000:,.0f} kg can be.",
        todo="Check the masses, or weigh the piece again before it is used.",
    )


def too_little(number: str, missing_g: int, most_g: int) -> Refused:
    """Mass balance: too much is unaccounted for."""
    return Refused(
        "production.balance",
        f"{missing_g / 1000:,.0f} kg of {number} are neither good nor scrap; up to {most_g / 1000:,.0f} kg is usual.",
        todo="Book the rest as scrap, or correct the good mass.",
    )


def number_taken(number: str) -> Refused:
    """Two live pieces must not carry one number."""
    return Refused(
        "production.number_taken",
        f"{number} is the number of another piece that is here.",
        todo="Give the product another number.",
    )
