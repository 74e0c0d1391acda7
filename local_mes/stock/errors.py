"""Refusals of the yard; each names the rule and says what can be done."""

from __future__ import annotations

from collections.abc import Sequence

from local_mes.stock.yard_domain import Broken
from shared.errors import BadInput, NotFound, Refused


def not_here(number: str, state: str) -> Refused:
    """Only what is in this plant's custody can be moved, weighed or scrapped."""
    words = {"shipped": "has left this plant", "consumed": "was used up", "scrapped": "was scrapped"}
    return Refused(
        "stock.not_here",
        f"{number} {words.get(state, f'is {state}')}.",
        todo="Check the number, or correct the record that says so first.",
    )


def pack_first(number: str) -> Refused:
    """A pack that ended as scrap would keep its members for ever."""
    return Refused("stock.is_a_pack", f"{number} is a pack.", todo="Take it apart, then scrap what is to be scrapped.")


def unknown_place(place: str, known: Sequence[str]) -> BadInput:
    """A place begins with the code of a unit or an area."""
    return BadInput(
        "stock.unknown_place",
        f"{place!r} is no place of this plant.",
        todo=f"Begin with a unit or area: {', '.join(known)}; then row or bay, as in {known[0]}-3.",
    )


def bad_mass(mass_g: int) -> BadInput:
    """A piece of steel weighs something, and less than any crane lifts."""
    return BadInput(
        "stock.bad_mass",
        f"{mass_g / 1000:,.0f} kg is no mass of a piece.",
        todo="Give the mass in grams, above 0 and at most 400 t.",
    )


def no_reason() -> BadInput:
    """Scrap without a reason."""
    return BadInput("stock.no_reason", "Scrapping needs a reason.", todo="Say why the piece becomes scrap.")


def bad_rows(faults: Sequence[str]) -> BadInput:
    """A take-over with rows that cannot be taken in."""
    shown = "; ".join(faults[:20])
    more = f"; and {len(faults) - 20} more" if len(faults) > 20 else ""
    return BadInput(
        "stock.bad_rows",
        f"The take-over has {len(faults)} rows that cannot be taken in: {shown}{more}.",
        todo="Mend these rows and send the whole list again; no row was taken in.",
    )


def breaks_rule(number: str, place: str, broken: Sequence[Broken]) -> Refused:
    """A move that a rule of the yard forbids; the code names the first rule, the text all of them."""
    return Refused(
        f"yard.{broken[0].rule}",
        f"{number} cannot be put to {place}: {'; '.join(one.text for one in broken)}.",
        kept="Nothing was moved.",
        todo="Choose another stack. What a crane has already done is recorded when the crane reports it.",
    )


def no_job(job_id: str) -> NotFound:
    """A job that nobody planned."""
    return NotFound("crane.no_job", f"No crane has a job {job_id}.", todo="Look at the list again.")


def job_closed(number: str, state: str, reason: str) -> Refused:
    """Done already (by the crane's own message, or from another tablet), or dropped."""
    why = f": {reason}" if reason else ""
    return Refused(
        "crane.job_closed",
        f"The job for {number} is {state} already{why}.",
        kept="Nothing was booked a second time.",
        todo="Go on with the next job; if the piece lies elsewhere, book its place.",
    )


def take_open(area: str) -> Refused:
    """Two counts of one area would not agree with each other."""
    return Refused(
        "stock.take_open", f"{area} is being counted already.", todo="Go on with that count, or close or drop it first."
    )


def no_take(take_id: str) -> NotFound:
    """A count that nobody opened."""
    return NotFound("stock.no_take", f"There is no stock-take {take_id}.", todo="Look at the list of stock-takes.")


def take_closed(area: str, state: str) -> Refused:
    """What is closed is not counted on."""
    return Refused("stock.take_closed", f"The count of {area} is {state}.", todo="Open another one.")


def take_changed(shown: int, now: int) -> Refused:
    """Somebody counted on, or a crane moved something."""
    return Refused(
        "stock.take_changed",
        f"You have seen {shown} differences; there are {now} by now.",
        kept="Nothing was posted.",
        todo="Look at them again and post what you see then.",
    )


def take_reason(numbers: Sequence[str]) -> BadInput:
    """A difference without a reason."""
    of = f" of {', '.join(numbers[:10])}" if numbers else ""
    return BadInput("stock.take_reason", f"The reason{of} is missing.", todo="Say why books and yard differ.")


def no_goods(item: str) -> NotFound:
    """Goods that nobody described."""
    return NotFound("goods.unknown", f"No goods {item!r} are kept here.", todo="Describe them first: name, kind, unit.")


def bad_goods(what: str) -> BadInput:
    """A description or quantity that cannot be."""
    return BadInput("goods.bad", what, todo="Mend it and book again.")


def not_enough(item: str, place: str, have: str, wanted: str) -> Refused:
    """More issued than the books have."""
    return Refused(
        "goods.not_enough",
        f"{wanted} of {item} cannot be issued: {place} has {have}.",
        kept="Nothing was booked.",
        todo="Issue what is there; if more lies there, book a count first.",
    )


def bad_take_over(what: str, most: int) -> BadInput:
    """Files that are none of the four, or too many rows."""
    return BadInput("take_over.bad", what, todo=f"Hand in stock, heats, steps, count, each at most {most:,} rows.")


def no_take_over(take_over_id: str) -> NotFound:
    """Nothing was handed in, or it was taken back."""
    return NotFound("take_over.unknown", f"There is no take-over {take_over_id}.", todo="Hand the files in first.")


def faulty_take_over(faults: int) -> Refused:
    """Recorded is only what has no fault, all of it."""
    return Refused(
        "take_over.faults",
        f"{faults} faults stand against it." if faults else "There is nothing in it.",
        kept="Nothing was recorded.",
        todo="Mend what the report names and hand the files in again.",
    )


def own_facts(kind: str) -> Refused:
    """The plant has gone on working with what it took over."""
    return Refused(
        "take_over.built_on",
        f"The plant has said something of its own about these pieces since ({kind}).",
        kept="Everything stays as it is.",
        todo="Correct single pieces; the take-over as a whole stands.",
    )
