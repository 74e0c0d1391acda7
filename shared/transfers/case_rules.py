"""What follows from the kind of a case: how it can end, what was done by itself, how long it may take. Pure rules."""

from __future__ import annotations

HOUR_MS = 3_600_000
DEADLINE_HOURS = {
    "double_receipt": 8,
    "wrong_plant": 8,
    "quality_changed": 8,
    "quality_mismatch": 24,
    "identity": 24,
    "short": 24,
    "unannounced": 24,
    "found_again": 24,
    "contested": 24,
    "number_reuse": 24,
    "correction": 48,
    "genealogy_gap": 48,
    "mass": 72,
    "damage": 72,
}
"""Hours from the opening of a case to its first deadline. 8 h, a shift: steel that two hold, that lies at the wrong place or
may go into the next product on a wrong certificate. 24 h: a piece or a number that somebody must go and look for; no piece
stays unexplained for longer. 48 h: books only. 72 h: a claim on a carrier or a second weighing, which waits for the scale."""
OTHER_HOURS = 24
"""Hours for a kind this release does not know: as for a missing piece."""
DEADLINE_DAYS_MAX = 60
"""Days a person may give a case at most: longer than any claim on a carrier runs; a case is no archive."""
TEXT_MAX = 2_000
"""Characters of one word about a case: a page; a file belongs to its piece."""
RESOLUTIONS = {
    "mass": {
        "reweighed": "Weighed again",
        "swapped": "Two labels were swapped: the receiver exchanged them",
        "accept_sender": "The sender's mass counts",
        "accept_receiver": "The receiver's mass counts",
        "claim": "Claimed from the carrier",
    },
    "short": {
        "did_not_occur": "It never left the sender",
        "received_late": "It was found and taken in",
        "lost": "Lost: written off by both",
    },
    "unannounced": {
        "late_departure": "The sender declared the departure late",
        "receiver_error": "The receiver read it wrongly",
        "unknown_origin": "Of unknown origin: a new piece",
    },
    "double_receipt": {"receiver_error": "One receipt was an error", "relabelled": "Two pieces bore one number"},
    "contested": {
        "did_leave": "It did leave: the receipt stands",
        "receiver_error": "The receiver read it wrongly",
        "both_stand": "Both facts are right, in their order",
        "corrected": "The plant recorded what is right",
    },
    "quality_mismatch": {
        "superseded": "The sender corrected its data",
        "retested": "Tested again at the receiver",
        "accepted": "Taken as it is",
    },
    "quality_changed": {
        "acknowledged": "What was made of it was looked at",
        "recalled": "What was made of it is recalled",
    },
    "damage": {"claim": "Claimed from the carrier", "downgraded": "Downgraded", "scrapped": "Scrapped"},
    "found_again": {
        "stands": "It is here: the write-off is taken back",
        "receiver_error": "The receiver read it wrongly",
    },
    "genealogy_gap": {"told_late": "The sender told its origin late", "unknown_origin": "Its origin stays unknown"},
    "number_reuse": {"relabelled": "The second piece was labelled anew", "same_piece": "It is one piece, booked twice"},
    "correction": {
        "carried_out": "Carried out after what stood on it was taken back",
        "stands": "The record stands, with what is known of it",
        "amended": "The other plant was told and booked it so",
    },
    "identity": {
        "acknowledged": "The other plant compared and booked it so",
        "tested": "Tested again: the steel is as told",
        "recalled": "What was made of it is recalled",
    },
    "wrong_plant": {"diverted": "Diverted: it stays there", "returned": "Goes back or on to the addressee"},
}
AUTOMATIC = {
    "mass": "The receiver's mass is booked there, the sender's stays with the line; quality is not touched.",
    "short": "The piece stays on the way on the sender's account and may not be planned anywhere.",
    "unannounced": "The receiver holds it as claimed: it may be moved, not charged.",
    "double_receipt": "Each receipt stays provisional and both plants hold their piece until the case has ended.",
    "wrong_plant": "The receiver holds it as claimed: it may be moved, not charged.",
    "quality_mismatch": "The receiver holds the piece; both papers are kept, field by field.",
    "quality_changed": "The receiver was told; the piece, or what was made of it, is held there.",
    "damage": "The receiver took it in and holds it.",
    "found_again": "The receipt stands and the ledger takes the write-off back.",
    "genealogy_gap": "The piece is used as told; its trace ends at the gap.",
    "number_reuse": "The second piece is given another number by its plant.",
    "contested": "Both facts count, in the order they were recorded.",
    "correction": "Nothing was changed: the record stands until a person decides.",
    "identity": "Both plants hold what may be concerned.",
}
"""What the product did by itself when the case was opened, by kind (transfers.md, 4)."""
OTHER = {"other": "Otherwise, see the note"}
SAID, CONFIRMED, OBJECTED, REOPENED, BEFORE = "said", "confirmed", "objected", "reopened", "_before"
"""Kinds of words about a case; BEFORE behind a plant's word on the end that a later one of it replaced."""


def first_deadline_ms(kind: str, opened_at_ms: int) -> int:
    """When a case of a kind is due while nobody has set another time (UTC ms)."""
    return opened_at_ms + DEADLINE_HOURS.get(kind, OTHER_HOURS) * HOUR_MS


def plants_of(from_plant: str, to_plant: str) -> tuple[str, ...]:
    """The plants whose word a case waits for, each once, the sender first."""
    return tuple(dict.fromkeys(plant for plant in (from_plant, to_plant) if plant))


def resolutions(kind: str) -> dict[str, str]:
    """How a case of a kind can end: code -> words."""
    return RESOLUTIONS.get(kind, {}) | OTHER


def automatic(kind: str) -> str:
    """What was done by itself, in words; empty for a kind this release does not know."""
    return AUTOMATIC.get(kind, "")
