"""Cases: contradictions put on the desk, and ended by a person with a word of how."""

from __future__ import annotations

from collections.abc import Sequence

from central_hub.transfers.deadlines import Due, read_deadlines
from central_hub.transfers.domain import Contradiction
from shared.errors import BadInput, NotFound, Refused
from shared.ids import derived_id
from shared.journal.fact import Draft, Occurred
from shared.journal.journal import Work
from shared.transfers.case_rules import TEXT_MAX, resolutions
from shared.transfers.facts import CaseOpened

ACTOR = "job:reconcile"

NOTE_MAX = TEXT_MAX


def case_id(hub: str, found: Contradiction) -> str:
    """The id this contradiction always has."""
    return derived_id(found.at_ms, hub, "case", found.kind, *found.key)


def open_cases(tx: Work, hub: str, contradictions: Sequence[Contradiction]) -> None:
    """Put contradictions on the desk, each with the deadline of the standard that is in force now."""
    if not contradictions:
        return
    now_ms = tx.now_ms()
    deadlines = read_deadlines(tx.conn, hub, now_ms)
    tx.record(*(opening(hub, found, deadlines.due(found.kind, now_ms)) for found in contradictions))


def opening(hub: str, found: Contradiction, due: Due) -> Draft[CaseOpened]:
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
        due_at_ms=due.at_ms if due.standard is not None else 0,
    )
    subjects = tuple(i for i in (case, found.shipment_id, found.material_id) if i)
    return Draft(
        fact,
        subjects,
        ACTOR,
        Occurred(found.at_ms, ACTOR),
        fact_id=derived_id(found.at_ms, case, "opened"),
        causes=found.evidence,
        standard=due.standard,
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
    check_text(note)


def not_ended() -> Refused:
    """A case that is open cannot be opened again."""
    return Refused("transfers.case_open", "This case is open.", todo="Say in its conversation what is new.")


def check_text(text: str) -> str:
    """What a person wrote, trimmed; BadInput when it is missing or too long."""
    if not text.strip() or len(text) > NOTE_MAX:
        raise BadInput(
            "transfers.note",
            "The note that says why is missing or too long.",
            todo=f"Write 1 to {NOTE_MAX} characters.",
        )
    return text.strip()


def unknown_case(wanted: str) -> NotFound:
    """No such case."""
    return NotFound("transfers.unknown_case", f"There is no case {wanted}.", todo="Open it from the case desk.")
