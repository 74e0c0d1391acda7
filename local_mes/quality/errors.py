"""Refusals of quality."""

from __future__ import annotations

from shared.errors import BadInput, NotFound, Refused


def unknown_hold(hold_id: str) -> NotFound:
    """No such hold."""
    return NotFound("quality.unknown_hold", f"There is no hold {hold_id!r}.", todo="Read the list of holds again.")


def not_ours(author: str, plant: str) -> Refused:
    """Another plant's hold is that plant's to release."""
    return Refused(
        "quality.other_plant",
        f"This hold was placed by {author}; {plant} cannot release it.",
        todo=f"Ask {author} to release it; its release arrives here by itself.",
    )


def carried(reason: str, plant: str) -> Refused:
    """A hold that came down from the hub is ended where it was placed."""
    return Refused(
        "quality.other_plant",
        f"This hold came from another plant ({reason}); {plant} cannot release it.",
        todo="Ask the plant that holds it to release it; its release arrives here by itself.",
    )


def already_released(number: str, disposition: str) -> Refused:
    """A hold ends once."""
    return Refused(
        "quality.released",
        f"The hold on {number} is released already ({disposition}).",
        todo="Read the list of holds again.",
    )


def scrapped(number: str) -> Refused:
    """Nothing is left to be decided but what was done."""
    return Refused(
        "quality.scrapped", f"{number} is scrap already.", todo="Decide scrap, or correct the scrapping first."
    )


def not_held(number: str) -> Refused:
    """The piece named is not reached by this hold."""
    return Refused("quality.not_held", f"This hold does not reach {number}.", todo="Name the piece that is held.")


def bad_disposition(given: str, known: tuple[str, ...]) -> BadInput:
    """No such disposition."""
    return BadInput("quality.disposition", f"{given!r} is no disposition.", todo=f"Choose one of: {', '.join(known)}.")


def needs_order() -> BadInput:
    """Re-applying means to an order."""
    return BadInput(
        "quality.order_missing",
        "Re-applying needs the order item the piece is to serve.",
        todo="Name the order item, or 'stock'.",
    )


def unknown_order(item: str) -> BadInput:
    """The order to re-apply to is not known."""
    return BadInput("quality.unknown_order", f"Order item {item!r} is not released here.", todo="Check the number.")


def still_violates(rule: str, explanation: str) -> Refused:
    """Released as prime although the rule still speaks against it."""
    return Refused(
        "quality.still_violates",
        f"{rule} still speaks against it: {explanation}.",
        kept="It stays held.",
        todo="Choose downgrade, reapply, rework or scrap, or wait for a new result.",
    )


def note_missing() -> BadInput:
    """A person's word without a word."""
    return BadInput(
        "quality.note_missing",
        "Releasing this as prime rests on your judgement alone.",
        kept="It stays held.",
        todo="Say in the note what you found.",
    )


def never_for(rule: str, order: str, grade: str) -> Refused:
    """The rule forbids orders of this grade for such a piece."""
    return Refused(
        "quality.never_for",
        f"{rule} says such a piece is never for orders of {grade}; {order} is one.",
        kept="It stays held.",
        todo="Choose another order, or scrap.",
    )


def serves_only(rule: str, order: str, serves: tuple[str, ...]) -> Refused:
    """The rule names the products such a piece may become."""
    return Refused(
        "quality.serves_only",
        f"{rule} lets such a piece become {', '.join(serves)}; {order} is none of it.",
        kept="It stays held.",
        todo="Choose another order, or scrap.",
    )


def empty_reason() -> BadInput:
    """A hold without a reason helps nobody."""
    return BadInput("quality.reason_missing", "A hold needs a reason.", todo="Say what is wrong with the piece.")


def piece_ended(number: str, state: str) -> Refused:
    """A hold on something that is no more."""
    return Refused(
        "quality.piece_ended",
        f"{number} is {state}; it cannot be held here.",
        todo="Hold the pieces that were made from it.",
    )


def bad_defects(what: str) -> BadInput:
    """A file of findings that cannot be read or placed."""
    return BadInput(
        "quality.bad_defects",
        f"{what}.",
        kept="Nothing was recorded.",
        todo="Use the file of the data set as it is published, at a plant that has pieces of this kind.",
    )
