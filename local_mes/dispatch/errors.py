"""Refusals of dispatch; each names what is missing and says what can be done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from shared.errors import BadInput, NotFound, Refused

PIECES_NAMED = 20
"""Pieces named in one refusal; more of them are counted."""


def may_not_leave(missing: Mapping[str, Sequence[str]]) -> Refused:
    """Pieces without what their order demands: number -> what is missing."""
    shown = list(missing)[:PIECES_NAMED]
    named = ". ".join(f"{piece}: {'; '.join(missing[piece])}" for piece in shown)
    more = f". And {len(missing) - len(shown)} more pieces" if len(missing) > len(shown) else ""
    return Refused(
        "dispatch.missing",
        f"{len(missing)} of the pieces may not leave. {named}{more}.",
        kept="Nothing was booked.",
        todo="Supply what is named, or take these pieces off the load.",
    )


def unknown_party(code: str, here: str) -> NotFound:
    """Nobody of that code is agreed."""
    return NotFound(
        "dispatch.unknown_party",
        f"{here} answers for no outside party {code!r}.",
        todo="Agree the customer or processor first.",
    )


def party_ended(code: str) -> Refused:
    """Dealings with it have ended."""
    return Refused("dispatch.party_ended", f"Dealings with {code} have ended.", todo="Agree it anew first.")


def bad_code(code: str) -> BadInput:
    """A code of another form than loads can name."""
    return BadInput(
        "dispatch.code",
        f"{code!r} is no code of a party.",
        todo="Use 2 to 12 capital letters and digits that begin with a letter.",
    )


def code_of_a_plant(code: str) -> Refused:
    """A code of the group is nobody's outside."""
    return Refused(
        "dispatch.code_taken", f"{code} is a plant of the group.", todo="Give the outside party a code of its own."
    )


def nothing_listed() -> BadInput:
    """A delivery without pieces."""
    return BadInput("dispatch.empty", "The delivery lists no piece.", todo="List the pieces that are on the vehicle.")


def listed_twice(piece: str) -> BadInput:
    """One piece, two lines."""
    return BadInput("dispatch.twice", f"{piece} is listed twice.", todo="List each piece once; check the numbers.")


def unknown_delivery(number: str, here: str) -> NotFound:
    """No such note left this plant."""
    return NotFound("dispatch.unknown", f"No delivery {number} left {here}.", todo="Check the number on the note.")


def unknown_item(item: str) -> NotFound:
    """Terms of an order nobody released."""
    return NotFound("dispatch.unknown_item", f"Order item {item!r} is not released here.", todo="Release it first.")
