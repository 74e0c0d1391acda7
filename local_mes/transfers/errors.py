"""Refusals of shipping and receiving; each names the rule and says what can be done."""

from __future__ import annotations

from collections.abc import Sequence

from shared.errors import BadInput, NotFound, Refused


def empty_load(number: str) -> BadInput:
    """A load without pieces."""
    return BadInput("transfers.empty_load", f"The load {number} lists no piece.", todo="Add the pieces that are on it.")


def twice_on_load(piece: str, number: str) -> BadInput:
    """The same piece twice on one load."""
    return BadInput(
        "transfers.twice_on_load",
        f"{piece} is listed twice on {number}.",
        todo="List each piece once; check the numbers.",
    )


def no_lane(to: str, here: str) -> Refused:
    """The plant model knows no way to that plant."""
    return Refused(
        "transfers.no_lane",
        f"The plant model of {here} has no lane to {to}.",
        todo="Name a plant there is a lane to, or add the lane to the plant model.",
    )


def unknown_lane(lane: str, to: str, known: Sequence[str]) -> BadInput:
    """A lane that the plant model does not name, or that leads elsewhere."""
    return BadInput(
        "transfers.unknown_lane",
        f"There is no lane {lane!r} to {to}.",
        todo=f"Name {' or '.join(known)}, or none and let the plant model choose.",
    )


def number_used(number: str) -> Refused:
    """A load of this number left already."""
    return Refused(
        "transfers.number_used", f"A load {number} left already.", todo="Give this load a number of its own."
    )


def not_live(piece: str, state: str) -> Refused:
    """Custody: only what is in this plant's custody can leave it."""
    words = {
        "shipped": "has left already",
        "consumed": "was used up",
        "scrapped": "was scrapped",
        "identified": "was found to be another piece",
    }
    return Refused(
        "transfers.not_custodian",
        f"{piece} {words.get(state, f'is {state}')}; only what is in our custody can be shipped.",
        todo="Take it off the load, or correct the record that says so first.",
    )


def not_a_piece(piece: str, kind: str) -> Refused:
    """A heat in a ladle is no unit of custody here."""
    return Refused(
        "transfers.not_a_piece",
        f"{piece} is a {kind}; loads carry slabs, coils, slit coils and packs.",
        todo="List the pieces made of it.",
    )


def held(piece: str, reason: str) -> Refused:
    """Quality: a held piece is not shipped by command."""
    return Refused(
        "transfers.held",
        f"{piece} is held: {reason}. A held piece is not shipped.",
        todo="Take it off the load, or let quality release it first.",
    )


def restricted(piece: str, only_for: str, order_item: str) -> Refused:
    """Quality: released for another use only."""
    return Refused(
        "transfers.restricted",
        f"{piece} is released only for {only_for}; it is assigned to {order_item or 'no order'}.",
        todo=f"Assign it to an order for {only_for}, or take it off the load.",
    )


def unknown_load(number: str, here: str) -> NotFound:
    """No such load is announced to this plant."""
    return NotFound(
        "transfers.unknown_load",
        f"No load {number} to {here} is known here yet.",
        kept="Its pieces can be taken in by their printed numbers all the same.",
        todo="Close the receipt when the sender's data has arrived.",
    )


def not_on_load(piece: str, number: str) -> NotFound:
    """The sender's own list does not have the piece."""
    return NotFound(
        "transfers.not_on_load",
        f"{piece} is not on the list of {number}.",
        todo="Check the number; to add a piece that did leave, declare a late departure.",
    )


def already_on_load(piece: str, number: str) -> Refused:
    """A late departure of something that is on the list."""
    return Refused(
        "transfers.on_load_already", f"{piece} is on the list of {number} already.", todo="Nothing needs correcting."
    )


def withdrawn_already(piece: str, number: str) -> Refused:
    """The same declaration twice."""
    return Refused(
        "transfers.withdrawn_already",
        f"It is declared already that {piece} did not leave with {number}.",
        todo="Nothing needs correcting.",
    )


def left_since(piece: str, number: str) -> Refused:
    """A departure is denied although the piece has come back, or gone on with another load, after it."""
    return Refused(
        "transfers.left_since",
        f"{piece} left with {number} and has been here or on another load since: that departure did occur.",
        todo="If a later load is wrong, correct that one.",
    )


def received_already(piece: str, own_number: str) -> Refused:
    """A second receipt of the same piece of the same load."""
    return Refused(
        "transfers.received_already",
        f"{piece} was taken in already; here it is called {own_number}.",
        todo="Check the number on the piece: it may be its neighbour's.",
    )


def stale_custody(piece: str, cited: int, in_force: int) -> Refused:
    """A departure is cited that another one of the same piece has followed: whoever cites it reads an old list or label."""
    return Refused(
        "transfers.stale_custody",
        f"Custody number {cited} of {piece} is over: it left again since, under number {in_force}.",
        todo="Name the load that it came with now, or none.",
    )


def number_taken(own_number: str) -> Refused:
    """The number is painted on another live piece."""
    return Refused(
        "transfers.number_taken",
        f"{own_number} is the number of another piece here.",
        todo="Leave the number empty to get a fresh one.",
    )


def closed_already(number: str) -> Refused:
    """Closing twice."""
    return Refused(
        "transfers.closed_already",
        f"The receipt of {number} is closed already.",
        todo="A piece that turns up later can still be taken in.",
    )


def bad_correction(kind: str) -> BadInput:
    """Only two things can be said about a departure afterwards."""
    return BadInput(
        "transfers.correction_kind",
        f"{kind!r} is no correction of a departure.",
        todo="Use did_not_occur (it never left) or late (it left, unlisted).",
    )


def to_itself(here: str) -> BadInput:
    """A load to the own plant."""
    return BadInput(
        "transfers.to_itself", f"A load from {here} to {here} is a move, not a transfer.", todo="Book a move instead."
    )


def unknown_departure(number: str, here: str) -> NotFound:
    """No such load left this plant."""
    return NotFound(
        "transfers.unknown_departure", f"No load {number} left {here}.", todo="Check the number on the shipping paper."
    )


def not_on_the_way(piece: str, state: str) -> Refused:
    """Something is said of a piece that only holds of one on its way."""
    return Refused(
        "transfers.not_on_the_way",
        f"{piece} is not on its way any more: {state.replace('_', ' ')}.",
        todo="Read the line again; correct what is wrong there.",
    )


def taken_by_addressee(piece: str, receiver: str, own_number: str) -> Refused:
    """A sender wants a piece back that its addressee has taken in: only a load back brings it."""
    return Refused(
        "transfers.taken_by_addressee",
        f"{receiver} has taken {piece} in as {own_number}; it is in its custody.",
        todo=f"Let {receiver} ship it back, and take it in from that load. If it stands here, say so on the load's page: it is "
        "here, or never left, though its addressee says that it took it in (contradicts). That becomes a case.",
    )


def no_parts(piece: str) -> BadInput:
    """A piece that was cut on the way comes as two parts at least."""
    return BadInput(
        "transfers.no_parts", f"{piece} was cut, but fewer than two parts are named.", todo="List every part."
    )


def not_waiting(receipt: str) -> Refused:
    """A match is made by hand of a receipt that waits for none."""
    return Refused(
        "transfers.not_waiting",
        f"The receipt {receipt} does not wait for its sender's data.",
        todo="Read the list of waiting receipts again.",
    )


def known_by_passport(own_number: str, piece: str) -> Refused:
    """A match is made by hand of a receipt whose passport names another piece."""
    return Refused(
        "transfers.known_by_passport",
        f"{own_number} is another piece than {piece} by its passport.",
        todo="Leave it: it is tied by itself when its departure arrives. Were labels swapped, exchange the two then.",
    )


def no_mass(piece: str) -> BadInput:
    """Neither side has weighed the piece."""
    return BadInput(
        "transfers.no_mass",
        f"No mass is known of {piece}: nobody weighed it.",
        todo="Weigh it, or enter the mass it was charged with.",
    )


def unknown_receipt(receipt_id: str) -> NotFound:
    """No such receipt here."""
    return NotFound("transfers.unknown_receipt", f"There is no receipt {receipt_id}.", todo="Open it from the list.")


def goes_there_already(number: str, to: str) -> Refused:
    """A diversion to where it goes anyway."""
    return Refused(
        "transfers.goes_there_already", f"{number} goes to {to} already.", todo="Name another plant, or change nothing."
    )


def no_eta(to: str, here: str) -> BadInput:
    """A diversion over a way that the plant model does not have."""
    return BadInput(
        "transfers.no_eta",
        f"The plant model of {here} has no lane to {to}: nobody knows how long it takes.",
        todo="Say when it is expected there.",
    )
