"""Cases: contradictions put on the desk, and ended by a person with a word of how."""

from __future__ import annotations

from central_hub.transfers.domain import Contradiction
from shared.errors import BadInput, NotFound, Refused
from shared.ids import derived_id
from shared.journal.fact import Draft, Occurred
from shared.transfers.facts import CaseOpened

ACTOR = "job:reconcile"

RESOLUTIONS = {
    "mass": {
        "reweighed": "Weighed again",
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
OTHER = {"other": "Otherwise, see the note"}
NOTE_MAX = 2_000


def resolutions(kind: str) -> dict[str, str]:
    """How a case of a kind can end: code -> words."""
    return RESOLUTIONS.get(kind, {}) | OTHER


def case_id(hub: str, found: Contradiction) -> str:
    """The id this contradiction always has."""
    return derived_id(found.at_ms, hub, "case", found.kind, *found.key)


def opening(hub: str, found: Contradiction) -> Draft[CaseOpened]:
    """The fact that opens the case, under an id of its own that follows from the contradiction."""
    case = case_id(hub, found)
    fact = CaseOpened(
        case_id=case,
        kind=found.kind,
        shipment_id=found.shipment_id,
        material_id=found.material_id,
        plants=found.plants,
        summary=found.summary,
        evidence=found.evidence,
        values=dict(found.values),
        shipment_number=found.shipment_number,
        piece_number=found.piece_number,
        receipt_id=found.receipt_id,
    )
    subjects = tuple(i for i in (case, found.shipment_id, found.material_id) if i)
    return Draft(
        fact,
        subjects,
        ACTOR,
        Occurred(found.at_ms, ACTOR),
        fact_id=derived_id(found.at_ms, case, "opened"),
        causes=found.evidence,
    )


def check_resolution(kind: str, state: str, resolution: str, note: str) -> None:
    """Refuse a resolution that says nothing: unknown, without a note, or of a case that is ended."""
    if state != "open":
        raise Refused("transfers.case_resolved", "This case is resolved already.", todo="Read its resolution.")
    if resolution not in resolutions(kind):
        raise BadInput(
            "transfers.resolution",
            f"{resolution!r} does not end a case of kind {kind}.",
            todo=f"Use one of: {', '.join(resolutions(kind))}.",
        )
    if not note.strip() or len(note) > NOTE_MAX:
        raise BadInput(
            "transfers.note",
            "The note that says why is missing or too long.",
            todo=f"Write 1 to {NOTE_MAX} characters.",
        )


def unknown_case(wanted: str) -> NotFound:
    """No such case."""
    return NotFound("transfers.unknown_case", f"There is no case {wanted}.", todo="Open it from the case desk.")
