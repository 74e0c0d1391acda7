"""A better practice found at one plant: its proposal becomes a draft of the group in one action, or is declined."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from central_hub.hub import Hub, downlink
from central_hub.standards import errors, service
from central_hub.standards.evidence import BEFORE_MS_MAX, Evidence, evidence_at
from central_hub.standards.recording import record
from shared.journal.journal import Work
from shared.standards.documents import AnyStandard, Parameter, parse_body
from shared.standards.queries import find_version, list_versions
from shared.standards.talk_facts import ProposalAnswered
from shared.standards.talk_queries import Proposal, find_proposal, list_proposals

DRAFTED, DECLINED = "drafted", "declined"


def read_proposals(conn: Connection, hub: Hub) -> list[tuple[Proposal, Evidence | None]]:
    """Every proposal; one without an answer with the checks of its plant before and since the plant deviates."""
    return [(p, _evidence(conn, hub, p)) for p in list_proposals(conn)]


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


def _evidence(conn: Connection, hub: Hub, proposal: Proposal) -> Evidence | None:
    """Of one that waits for an answer; a plant's own word for the time is taken for what it can be."""
    if proposal.answer:
        return None
    now = hub.clock.now_ms()
    since = min(max(proposal.since_ms, now - BEFORE_MS_MAX), now)
    return evidence_at(conn, proposal.plant, since, _rule(proposal), now)


def _rule(proposal: Proposal) -> str:
    return proposal.standard_id if proposal.standard_id.startswith("QR-") else ""


def _get(conn: Connection, proposal_id: str) -> Proposal:
    proposal = find_proposal(conn, proposal_id)
    if proposal is None:
        raise errors.no_proposal(proposal_id)
    if proposal.answer:
        raise errors.answered_already(proposal.answer)
    return proposal


def _changed(conn: Connection, hub: Hub, proposal: Proposal) -> dict[str, Any]:
    row = find_version(conn, hub.code, proposal.standard_id, proposal.version)
    if row is None:
        raise errors.unknown_version(proposal.standard_id, proposal.version)
    document: AnyStandard = parse_body(str(row.body).encode())
    highest = max(r.version for r in list_versions(conn, hub.code) if r.standard_id == proposal.standard_id)
    name = proposal.parameter.rpartition(".")[2]
    said = f"Proposed by {proposal.proposed_by} of {proposal.plant} ({proposal.parameter} = {proposal.value}): "
    changed: dict[str, Any] = document.model_dump(mode="json")
    changed |= {
        "version": highest + 1,
        "purpose": f"{document.purpose}\n{said}{proposal.reason}".strip()[:4_000],
        "parameters": [
            _with_value(p, proposal.value) if p.name == name else p.model_dump(mode="json") for p in document.parameters
        ],
    }
    return changed


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
