"""Use cases of the case desk: hand a case to somebody until a time, say a word that both plants read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row

from central_hub.hub import Hub, downlink
from central_hub.transfers import cases
from shared.errors import BadInput, Refused
from shared.journal.fact import Draft, Occurred, Payload
from shared.journal.journal import Work
from shared.outside.queries import list_parties
from shared.transfers.case_facts import CaseAssigned, CaseReopened, CaseSaid
from shared.transfers.case_queries import find_case
from shared.transfers.case_rules import DEADLINE_DAYS_MAX, plants_of
from shared.web.accounts import find_person

DAY_MS = 86_400_000


@dataclass(frozen=True)
class Charge:
    """owner: id of a person here, empty for nobody; party: the node whose turn it is; deadline in UTC ms."""

    owner: str
    party: str
    deadline_ms: int
    note: str = ""


def assign(hub: Hub, case_id: str, charge: Charge, *, actor: str, command_id: str) -> dict[str, Any]:
    """Hand an open case to somebody with a deadline; both plants are told whose turn it is. Done once for a command id."""
    with hub.journal.work() as tx:
        earlier = tx.once(command_id)
        if earlier is not None:
            return dict(earlier)
        case = _open_case(tx, case_id)
        _check_charge(tx, hub.code, case, charge)
        fact = CaseAssigned(
            case_id=case_id,
            owner=charge.owner,
            party=charge.party,
            deadline_ms=charge.deadline_ms,
            note=charge.note.strip(),
        )
        record_for_both(hub, tx, case, fact, actor)
        result = {"case_id": case_id, "owner": charge.owner, "party": charge.party, "deadline_ms": charge.deadline_ms}
        tx.done(command_id, result)
        return result


def say(hub: Hub, case_id: str, text: str, *, actor: str, command_id: str) -> dict[str, Any]:
    """Say a word about a case, open or ended; both plants read it. Done once for a command id."""
    with hub.journal.work() as tx:
        earlier = tx.once(command_id)
        if earlier is not None:
            return dict(earlier)
        case = find_case(tx.conn, case_id)
        if case is None:
            raise cases.unknown_case(case_id)
        fact = CaseSaid(case_id=case_id, text=cases.check_text(text))
        result = {"case_id": case_id, "word": record_for_both(hub, tx, case, fact, actor)}
        tx.done(command_id, result)
        return result


def record_for_both(hub: Hub, tx: Work, case: Row[Any], fact: Payload, actor: str) -> str:
    """Record what the hub says of a case and send it down to both of its plants; returns the fact's id."""
    subjects: Sequence[str] = [i for i in (case.case_id, case.shipment_id, case.material_id) if i]
    if isinstance(fact, CaseReopened):
        subjects = [case.case_id]  # a plant that does not read it yet parks what is said of the case, not of the load
    (fact_id,) = tx.record(Draft(fact, tuple(subjects), actor, Occurred(tx.now_ms(), "manual"), causes=(case.fact_id,)))
    outside = {party.code for party in list_parties(tx.conn)}  # they have no stream: who answers for them is told
    for plant in plants_of(case.from_plant, case.to_plant):
        if plant not in outside:
            tx.relay(fact_id, downlink(hub.code, plant))
    return fact_id


def _open_case(tx: Work, case_id: str) -> Row[Any]:
    case = find_case(tx.conn, case_id)
    if case is None:
        raise cases.unknown_case(case_id)
    if case.state != "open":
        raise Refused("transfers.case_resolved", "This case is resolved already.", todo="Read its resolution.")
    return case


def _check_charge(tx: Work, here: str, case: Row[Any], charge: Charge) -> None:
    person = find_person(tx.conn, charge.owner) if charge.owner else None
    if charge.owner and (person is None or not person.may(("logistics",))):
        raise BadInput(
            "transfers.owner",
            "A case is looked after by a person of the group's logistics.",
            todo="Choose one of the list.",
        )
    parties = (here, *plants_of(case.from_plant, case.to_plant))
    if charge.party not in parties:
        raise BadInput(
            "transfers.party", f"{charge.party!r} is no side of this case.", todo=f"Use one of: {', '.join(parties)}."
        )
    now_ms = tx.now_ms()
    if not now_ms < charge.deadline_ms <= now_ms + DEADLINE_DAYS_MAX * DAY_MS:
        raise BadInput(
            "transfers.deadline",
            "This deadline is past or too far off.",
            todo=f"Give a time within {DEADLINE_DAYS_MAX} days.",
        )
