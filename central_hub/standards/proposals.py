"""A better practice found at one plant: its proposal becomes a draft of the group in one action, or is declined.

A plant proposes the value of a deviation, or a standard of its own as a whole, which becomes a new standard of the group,
or the next version of the group's that has its id without the plant's code.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from central_hub.hub import Hub, downlink
from central_hub.standards import errors, service
from central_hub.standards.evidence import BEFORE_MS_MAX, Evidence, evidence_at
from central_hub.standards.recording import record
from shared.journal.journal import Work
from shared.performance.before_after import KpiChange, read_changes
from shared.standards.documents import AnyStandard, Parameter, parse_body
from shared.standards.queries import find_document, find_version, list_versions
from shared.standards.talk_facts import ProposalAnswered
from shared.standards.talk_queries import Proposal, classes_spoken_of, find_proposal, list_proposals

DRAFTED, DECLINED = "drafted", "declined"


@dataclass(frozen=True)
class Proposed:
    """A proposal with how its plant does since; nothing of that once it is answered, or where it cannot be read."""

    proposal: Proposal
    evidence: Evidence | None = None
    figures: Sequence[KpiChange] = ()


def read_proposals(conn: Connection, hub: Hub) -> list[Proposed]:
    """Every proposal; one without an answer with checks and KPIs of its plant before and since."""
    return [_proposed(conn, hub, p) for p in list_proposals(conn)]


def make_draft(hub: Hub, proposal_id: str, actor: str, command_id: str) -> tuple[str, int]:
    """The next version with the plant's value as its default and the plant named; returns id and version."""
    with hub.journal.work() as tx:
        known = tx.once(command_id)
        if known is not None:
            return str(known[0]), int(known[1])
        proposal = _get(tx.conn, proposal_id)
        made = service.write_draft(tx, hub, _changed(tx.conn, hub, proposal), actor)
        _answer(tx, hub, proposal, (DRAFTED, made.version, ""), actor)
        tx.done(command_id, [made.id, made.version])
    return made.id, made.version


def decline(hub: Hub, proposal_id: str, reason: str, actor: str, command_id: str) -> None:
    """Say no, and why; the plant reads it."""
    with hub.journal.work() as tx:
        if tx.once(command_id) is None:
            _answer(tx, hub, _get(tx.conn, proposal_id), (DECLINED, 0, reason), actor)
            tx.done(command_id, True)


def _proposed(conn: Connection, hub: Hub, proposal: Proposal) -> Proposed:
    """A plant's own word for the time is taken for what it can be."""
    if proposal.answer:
        return Proposed(proposal)
    now = hub.clock.now_ms()
    since = min(max(proposal.since_ms, now - BEFORE_MS_MAX), now)
    row = find_version(conn, proposal.plant if proposal.is_own else hub.code, proposal.standard_id, proposal.version)
    document = find_document(conn, proposal.standard_id, proposal.version, str(row.sha256)) if row else None
    classes = classes_spoken_of(conn, proposal.plant, document, proposal.parameter) if document else set()
    figures = read_changes(conn, proposal.plant, since, now, classes)
    return Proposed(proposal, evidence_at(conn, proposal.plant, since, _rule(proposal), now), figures)


def _rule(proposal: Proposal) -> str:
    return proposal.standard_id if proposal.group_id.startswith("QR-") else ""


def _get(conn: Connection, proposal_id: str) -> Proposal:
    proposal = find_proposal(conn, proposal_id)
    if proposal is None:
        raise errors.no_proposal(proposal_id)
    if proposal.answer:
        raise errors.answered_already(proposal.answer)
    return proposal


def _changed(conn: Connection, hub: Hub, proposal: Proposal) -> dict[str, Any]:
    row = find_version(conn, proposal.plant if proposal.is_own else hub.code, proposal.standard_id, proposal.version)
    if row is None:
        raise errors.unknown_version(proposal.standard_id, proposal.version)
    document: AnyStandard = parse_body(str(row.body).encode())
    same = [r.version for r in list_versions(conn, hub.code) if r.standard_id == proposal.group_id]
    what = proposal.standard_id if proposal.is_own else f"{proposal.parameter} = {proposal.value}"
    said = f"Proposed by {proposal.proposed_by} of {proposal.plant} ({what}): {proposal.reason}"
    changed: dict[str, Any] = document.model_dump(mode="json")
    return {
        **changed,
        "id": proposal.group_id,
        "version": max(same, default=0) + 1,
        "purpose": f"{document.purpose}\n{said}".strip()[:4_000],
        **(_for_all(document) if proposal.is_own else _with_values(document, proposal)),
    }


def _for_all(document: AnyStandard) -> dict[str, Any]:
    """An own standard is for its plant; whom the group's is for, the office says."""
    return {"scope": {**document.scope.model_dump(mode="json"), "plants": []}}


def _with_values(document: AnyStandard, proposal: Proposal) -> dict[str, Any]:
    name = proposal.parameter.rpartition(".")[2]
    return {
        "parameters": [
            _with_value(p, proposal.value) if p.name == name else p.model_dump(mode="json") for p in document.parameters
        ]
    }


def _with_value(parameter: Parameter, value: str) -> dict[str, Any]:
    """The parameter with the plant's value as default; what it allowed before it allows still."""
    found = parameter.model_dump(mode="json")
    if parameter.choices:
        return {**found, "default": value, "choices": list(dict.fromkeys((*parameter.choices, value)))}
    number = _whole(parameter, value)
    low = None if parameter.min is None else min(parameter.min, number)
    high = None if parameter.max is None else max(parameter.max, number)
    return {**found, "default": number, "min": low, "max": high}


def _whole(parameter: Parameter, value: str) -> int:
    digits = value.removeprefix("-")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 15):
        raise errors.no_number(parameter.name, value)
    return int(value)


def _answer(tx: Work, hub: Hub, proposal: Proposal, said: tuple[str, int, str], actor: str) -> None:
    answer, version, reason = said
    payload = ProposalAnswered(
        proposal_id=proposal.proposal_id, plant=proposal.plant, answer=answer, version=version, reason=reason
    )
    fact_id = record(tx, hub, payload, proposal.proposal_id, actor)
    tx.relay(fact_id, downlink(hub.code, proposal.plant))
