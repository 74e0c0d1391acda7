"""Use cases of a plant about the hub's cases: say a word, and confirm how one ended or object to it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row

from local_mes.plant import Plant
from shared.errors import BadInput, NotFound, Refused
from shared.journal.fact import Draft, Occurred, Payload
from shared.journal.journal import Work
from shared.transfers.case_facts import CaseConfirmed, CaseSaid
from shared.transfers.case_queries import find_case
from shared.transfers.case_rules import TEXT_MAX, plants_of

ROLES = ("yard", "lead", "quality", "planner")
"""Who speaks for a plant about its steel."""


def say(plant: Plant, case_id: str, text: str, *, actor: str, command_id: str) -> dict[str, Any]:
    """Say a word about a case of this plant; hub and the other plant read it. Done once for a command id."""
    with plant.journal.work() as tx:
        earlier = tx.once(command_id)
        if earlier is not None:
            return dict(earlier)
        case = check_here(find_case(tx.conn, case_id), plant.code, case_id)
        if not text.strip():
            raise BadInput("cases.text", "The word is missing.", todo="Write what you know of it.")
        return _record(tx, case, CaseSaid(case_id=case_id, text=check_length(text)), actor, command_id)


def confirm(plant: Plant, case_id: str, *, agrees: bool, note: str, actor: str, command_id: str) -> dict[str, Any]:
    """Say that this plant read how a case ended, and agrees or objects; an objection says why. Done once for a command id."""
    with plant.journal.work() as tx:
        earlier = tx.once(command_id)
        if earlier is not None:
            return dict(earlier)
        case = check_here(find_case(tx.conn, case_id), plant.code, case_id)
        if case.state != "resolved":
            raise Refused("cases.open", "This case has not ended yet.", todo="Answer in its conversation.")
        if not agrees and not note.strip():
            raise BadInput("cases.why", "An objection says why.", todo="Write what is not right about the end.")
        fact = CaseConfirmed(
            case_id=case_id,
            resolution=case.resolution,
            agrees=agrees,
            note=check_length(note),
            reopened=case.reopened,
        )
        return _record(tx, case, fact, actor, command_id)


def check_here(case: Row[Any] | None, here: str, case_id: str) -> Row[Any]:
    """The case, when it is one of this plant; NotFound for any other."""
    if case is None or here not in plants_of(case.from_plant, case.to_plant):
        raise NotFound("cases.unknown", f"This plant has no case {case_id}.", todo="Open it from the list of cases.")
    return case


def check_length(text: str) -> str:
    """What a person wrote, trimmed; BadInput when it is too long."""
    if len(text) > TEXT_MAX:
        raise BadInput("cases.long", f"This has {len(text)} characters.", todo=f"Use at most {TEXT_MAX}.")
    return text.strip()


def _record(tx: Work, case: Row[Any], fact: Payload, actor: str, command_id: str) -> dict[str, Any]:
    subjects = tuple(i for i in (case.case_id, case.shipment_id, case.material_id) if i)
    (word,) = tx.record(Draft(fact, subjects, actor, Occurred(tx.now_ms(), "manual"), causes=(case.fact_id,)))
    result = {"case_id": case.case_id, "word": word}
    tx.done(command_id, result)
    return result
