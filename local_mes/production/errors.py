"""Refusals of what a person books at a unit; each names the rule. What Level 2 reports is never refused."""

from __future__ import annotations

from collections.abc import Sequence

from shared.errors import BadInput, Denied, NotFound, Refused


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


def fact_not_held(fact_id: str) -> Refused:
    """What is to be corrected cannot be read here."""
    return Refused(
        "correction.not_held",
        f"The fact {fact_id} that said so is not readable here.",
        todo="Fetch the archive it lies in, then ask again.",
    )


def not_made_here(number: str) -> Refused:
    """Only the author of a fact corrects it."""
    return Refused(
        "correction.not_made_here",
        f"{number} was not made by a step of this plant; only the plant that recorded a fact corrects it.",
        todo="Ask the plant that made it.",
    )


def nothing_changes(number: str, what: str) -> BadInput:
    """A correction to what is on record already."""
    return BadInput(
        "correction.nothing_changes",
        f"The {what} of {number} is on record like that already.",
        todo="Give what is right, or leave it.",
    )


def bad_correction(what: str, todo: str) -> BadInput:
    """A statement that cannot be."""
    return BadInput("correction.bad", what, todo=todo)


def no_such_parent(number: str, parent: str) -> BadInput:
    """The piece named did not go into this product."""
    return BadInput(
        "correction.no_parent",
        f"{parent or 'No piece'} did not go into {number} at the step that made it.",
        todo="Name one of the pieces it was made from.",
    )


def taken_part(other: str) -> Refused:
    """Partition: one part of a parent became one product."""
    return Refused(
        "correction.no_partition",
        f"That part of the parent became {other} already; parts of one piece must not overlap.",
        todo="Correct the interval of the other product first, or check the cut positions.",
    )


def not_scrapped(number: str, state: str) -> Refused:
    """Only scrap is taken back from scrap."""
    return Refused("correction.not_scrapped", f"{number} is {state}, not scrap.", todo="Check the number of the piece.")


def no_earlier_mass(number: str) -> Refused:
    """A weighing can be withdrawn only where another mass is known."""
    return Refused(
        "correction.no_earlier_mass",
        f"No other mass of {number} is on record.",
        todo="Give the right mass instead of withdrawing this one.",
    )


def unknown_case(case_id: str) -> NotFound:
    """No such case here."""
    return NotFound("correction.unknown_case", f"There is no correction case {case_id!r} here.", todo="Read the list.")


def case_settled(how: str) -> Refused:
    """A case ends once."""
    return Refused("correction.settled", f"This case is settled already ({how}).", todo="Read the list of cases again.")


def still_blocked(why: str) -> Refused:
    """The pieces that stood in the way still do."""
    return Refused(
        "correction.blocked",
        f"It still cannot be carried out: {why}.",
        kept="The case stays open.",
        todo="Take back what stands on it first (return, withdraw the later step), or let the record stand.",
    )


def named_twice() -> BadInput:
    """A piece is used once."""
    return BadInput("production.named_twice", "A piece is named twice.", todo="Name each piece once.")


def no_number(kind: str) -> BadInput:
    """There is no scheme to take the next number of."""
    return BadInput("production.no_number", f"This plant numbers no {kind} by itself.", todo="Give the number.")


def bad_pack(what: str) -> BadInput:
    """What cannot be packed, or taken apart."""
    return BadInput("production.bad_pack", what, todo="Check the pieces.")


def bad_remelt() -> BadInput:
    """Where it goes, as what, and why."""
    return BadInput(
        "production.bad_remelt", "Bay, scrap grade or reason is missing.", todo="Say where it lies, as what, and why."
    )


def bad_work(what: str, todo: str) -> BadInput:
    """An operation by hand that cannot be one."""
    return BadInput("production.bad_work", what, todo=todo)


def no_balance(charged_g: int, unexplained_g: int, tolerance_ppm: int) -> Refused:
    """Mass balance of an operation by hand."""
    return Refused(
        "production.balance",
        f"{abs(unexplained_g) / 1000:,.0f} kg of {charged_g / 1000:,.0f} kg are "
        f"{'missing' if unexplained_g > 0 else 'too much'}; {tolerance_ppm / 10_000:.2f} % are usual here.",
        todo="Check the masses, or book the rest as scrap.",
    )


def bad_identity(what: str, todo: str) -> BadInput:
    """A doubt or an answer to one that cannot be."""
    return BadInput("identity.bad", what, todo=todo)


def unknown_set(set_id: str) -> NotFound:
    """No such open set here."""
    return NotFound("identity.unknown_set", f"There is no open set {set_id!r} here.", todo="Read the list of sets.")


def no_data(number: str, missing: str) -> Refused:
    """A data collection that holds the step is not complete."""
    return Refused(
        "production.data_missing",
        f"{number} waits for data of an earlier step. {missing}.",
        kept="Nothing was booked.",
        todo="Write them down under Tasks, then book.",
    )


def not_qualified(qualification: str) -> Denied:
    """The route asks for a person who was trained for it."""
    return Denied(
        "production.not_qualified",
        f"This step takes a person qualified for {qualification!r}, and no such qualification of yours is in force.",
        todo="Let somebody book it who holds it, or have yours entered or renewed.",
    )
