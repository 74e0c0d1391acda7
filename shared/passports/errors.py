"""Refusals of passports; each says why, and how the steel gets into the books all the same."""

from __future__ import annotations

from shared.errors import Refused

BY_NUMBER = "The piece can be taken in by the number painted on it; it then waits for its sender's data."


def unreadable(why: str) -> Refused:
    """It has not the shape of a passport."""
    return Refused(
        "passport.unreadable", f"This is no passport: {why}.", todo=f"Scan it again, or use the file. {BY_NUMBER}"
    )


def unknown_key(keyid: str, as_of: str) -> Refused:
    """Nobody of the group signs with that key as far as this plant knows."""
    return Refused(
        "passport.key_unknown",
        f"It is signed with key {keyid}, which is no plant's of the group as of {as_of}.",
        todo=f"Compare the load with its papers, and ask the sender. {BY_NUMBER}",
    )


def old_list(number: str, as_of: str) -> Refused:
    """No word of whose keys count for half a year."""
    return Refused(
        "passport.keys_old",
        f"Whose keys count was last told on {as_of}: too long ago to believe the passport of {number} by it.",
        todo=f"Bring the hub's word here, over the line or by a file (sync import). {BY_NUMBER}",
    )


def altered(sender: str) -> Refused:
    """The signature does not hold."""
    return Refused(
        "passport.altered",
        f"Its signature is not that of {sender}: it was altered, or somebody else made it.",
        todo=f"Keep the paper, and show it to quality. {BY_NUMBER}",
    )


def not_its_key(claimed: str, owner: str) -> Refused:
    """One plant's key under another plant's name."""
    return Refused(
        "passport.forged",
        f"It says that {claimed} issued it, and is signed with a key of {owner}.",
        todo=f"Keep the paper, and show it to quality. {BY_NUMBER}",
    )


def for_another(number: str, addressee: str, here: str) -> Refused:
    """The load was meant for somebody else."""
    return Refused(
        "passport.addressed_elsewhere",
        f"{number} is addressed to {addressee}; this is {here}.",
        todo="Send the vehicle on, or let the sender divert the load to this plant and issue a new passport.",
    )


def expired(number: str, when: str) -> Refused:
    """Too old to vouch for anything."""
    return Refused(
        "passport.expired",
        f"The passport of {number} was good until {when}.",
        todo=f"Ask the sender for a new one. {BY_NUMBER}",
    )


def replayed(number: str, own_number: str, where: str, custody_no: int) -> Refused:
    """The piece was taken in under this custody number already."""
    return Refused(
        "passport.replayed",
        f"{number} was taken in at {where} already, as {own_number}, under custody number {custody_no}.",
        todo="Check the number on the piece: it may be its neighbour's, or a copy of the label.",
    )


def waits(number: str, own_number: str) -> Refused:
    """The piece is here under its painted number, and waits for its sender's data."""
    return Refused(
        "passport.waits",
        f"{number} was taken in by its number already, as {own_number}, and waits for its sender's data.",
        todo="Leave it: it is tied by itself when the departure arrives. If this is another piece, give it another number.",
    )


def here(number: str, own_number: str, state: str) -> Refused:
    """This plant's own books say that the piece never left it."""
    return Refused(
        "passport.here",
        f"{number} is {state} in our own books, as {own_number}; it cannot come from elsewhere.",
        todo="Check the number on the piece: it may be its neighbour's. Tell quality if it is not.",
    )


def over(number: str, cited: int, known: int) -> Refused:
    """The piece has changed hands since."""
    return Refused(
        "passport.stale",
        f"Custody number {cited} of {number} is over: {known} is known of it.",
        todo="Use the passport of the load that it came with now, or take it in by its number.",
    )


def revoked_after(number: str, keyid: str, seq: int, point: int) -> Refused:
    """Issued when the key was not its plant's any more."""
    return Refused(
        "passport.revoked",
        f"The passport of {number} was issued at entry {seq}; key {keyid} is revoked from entry {point} on.",
        todo=f"Keep the paper, and tell the sender. {BY_NUMBER}",
    )


def not_a_piece() -> Refused:
    """The code of a load where a piece's is wanted."""
    return Refused(
        "passport.of_a_load",
        "This is the passport of a load: it lists pieces, it takes none in.",
        todo="Hand in the load's file, or scan the code of the piece.",
    )
