"""Refusals towards outside parties and about what they said."""

from __future__ import annotations

from shared.errors import BadInput, Denied, NotFound, Refused, StrandlineError, TooLarge, Unauthenticated


class TooManyTries(StrandlineError):
    """Too many requests in a short time."""

    status = 429
    again = True

    def __init__(self, after_s: float) -> None:
        super().__init__(
            "outside.too_many", "Too many requests in a short time.", kept="Nothing was changed.", todo="Wait a minute."
        )
        self.after_s = after_s


def no_token() -> Unauthenticated:
    """Nobody, or a token that is not in force."""
    return Unauthenticated(
        "outside.token", "The token is unknown or was revoked.", todo="Ask the plant for a new token."
    )


def party_ended(code: str) -> Denied:
    """Dealings have ended."""
    return Denied("outside.ended", f"Dealings with {code} have ended.", todo="Ask the plant.")


def not_epcis(why: str) -> BadInput:
    """A body that is no EPCIS 2.0 document."""
    return BadInput(
        "outside.not_epcis",
        f"This is no EPCIS 2.0 document that can be read: {why}.",
        kept="Nothing was taken.",
        todo="Send an EPCISDocument of schema version 2.0 in JSON-LD.",
    )


def too_many(what: str, most: int) -> TooLarge:
    """More at once than is taken."""
    return TooLarge(
        "outside.too_many_rows",
        f"More than {most} {what} at once.",
        kept="Nothing was taken.",
        todo="Send it in parts.",
    )


def not_csv(why: str) -> BadInput:
    """A file that is not the template filled in."""
    return BadInput(
        "outside.not_csv", f"The file cannot be read: {why}.", kept="Nothing was taken.", todo="Fill in the template."
    )


def no_such_link() -> NotFound:
    """Guessed, expired or revoked: one answer for all, so that nothing is learnt."""
    return NotFound(
        "outside.no_link",
        "This link is not in force.",
        todo="Ask whoever sent it for a new one.",
    )


def unknown_statement(wanted: str) -> NotFound:
    """No such entry on the work-list."""
    return NotFound("outside.unknown_statement", f"There is no entry {wanted}.", todo="Open it from the list.")


def settled_already(state: str) -> Refused:
    """A person was quicker."""
    return Refused("outside.settled", f"This entry is {state} already.", todo="Read the list again.")


def no_load(number: str) -> NotFound:
    """A link is for a load to an outside party."""
    return NotFound("outside.no_load", f"No load {number} left here for an outside party.", todo="Check the number.")


def no_damage(number: str) -> BadInput:
    """Damaged, but nobody says how."""
    return BadInput(
        "outside.no_damage",
        f"{number} is marked as damaged.",
        todo="Say in a few words what is damaged, and send again.",
    )
