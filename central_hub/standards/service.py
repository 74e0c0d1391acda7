"""The life of a version up to its approval: draft, submit, return, approve by a second person, withdraw.

Approval asks the key holders for signatures; what happens with those is publishing.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row

from central_hub.hub import Hub
from central_hub.standards import errors, publishing, rollouts
from central_hub.standards.choosing import chosen_among, list_choosing
from central_hub.standards.domain import assignment_for, may
from central_hub.standards.queries import find_catalogue
from central_hub.standards.rights import check_may, find_before
from shared.journal.fact import Draft, Occurred, Payload
from shared.journal.journal import Work
from shared.standards import facts
from shared.standards.canonical import body_of, sha256
from shared.standards.check import document_faults
from shared.standards.documents import AnyStandard, parse_document
from shared.standards.messages import Assigned
from shared.standards.queries import document_of, find_version, list_versions


def draft(hub: Hub, document: object, actor: str, command_id: str) -> AnyStandard:
    """Write a new version, or rewrite one's own draft; the document is checked whole. Returns it as understood."""
    parsed = _checked(document)
    with hub.journal.work() as tx:
        if tx.once(command_id) is None:
            _write(tx, hub, parsed, actor)
            tx.done(command_id, True)
    return parsed


def write_draft(tx: Work, hub: Hub, document: object, actor: str) -> AnyStandard:
    """The same within a transaction that does more."""
    parsed = _checked(document)
    _write(tx, hub, parsed, actor)
    return parsed


def _checked(document: object) -> AnyStandard:
    parsed = parse_document(document)
    faults = document_faults(parsed)
    if faults:
        raise errors.faulty(faults)
    return parsed


def _write(tx: Work, hub: Hub, parsed: AnyStandard, actor: str) -> None:
    check_may(tx.conn, hub, parsed, "draft", actor)
    _check_may_draft(tx, hub, parsed, actor)
    body = body_of(parsed)
    payload = facts.StandardDrafted(
        standard_id=parsed.id,
        version=parsed.version,
        kind=parsed.kind,
        title=parsed.title,
        sha256=sha256(body),
        body=body.decode(),
    )
    _record(tx, payload, parsed.id, parsed.version, actor)


def submit(hub: Hub, standard_id: str, version: int, actor: str, command_id: str) -> None:
    """Ask for review."""
    with hub.journal.work() as tx:
        if tx.once(command_id) is None:
            write_submission(tx, hub, standard_id, version, actor)
            tx.done(command_id, True)


def write_submission(tx: Work, hub: Hub, standard_id: str, version: int, actor: str) -> None:
    """The same within a transaction that does more."""
    row = _get(tx, hub, standard_id, version, "submitted")
    payload = facts.StandardSubmitted(standard_id=standard_id, version=version, sha256=row.sha256)
    _record(tx, payload, standard_id, version, actor)


def send_back(hub: Hub, standard_id: str, version: int, reason: str, actor: str, command_id: str) -> None:
    """Return a version under review to its author, saying why."""
    with hub.journal.work() as tx:
        if tx.once(command_id) is None:
            _get(tx, hub, standard_id, version, "returned")
            payload = facts.StandardReturned(standard_id=standard_id, version=version, reason=reason)
            _record(tx, payload, standard_id, version, actor)
            tx.done(command_id, True)


def approve(
    hub: Hub,
    standard_id: str,
    version: int,
    seen_sha256: str,
    actor: str,
    command_id: str,
    effective_from_ms: int | None = None,
    waves: Sequence[facts.Wave] = (),
) -> None:
    """A second person approves exactly the body they were shown; the key holders are asked to sign.

    effective_from_ms: when it takes hold at the plants; None: as soon as it arrives. waves: the plants that begin
    before the others, in turns; none: all plants at once.
    """
    with hub.journal.work() as tx:
        if tx.once(command_id) is not None:
            return
        write_approval(tx, hub, standard_id, version, seen_sha256, actor, effective_from_ms or 0)
        if waves:
            rollouts.plan(tx, hub, standard_id, version, waves, actor)
        publishing.ask_for_signatures(tx, hub, actor)
        tx.done(command_id, True)


def write_approval(
    tx: Work, hub: Hub, standard_id: str, version: int, seen_sha256: str, actor: str, effective_from_ms: int = 0
) -> None:
    """The approval alone, within a transaction that asks for signatures afterwards."""
    row = _get(tx, hub, standard_id, version, "approved")
    if row.drafted_by == actor:
        raise errors.same_person()
    if row.sha256 != seen_sha256:
        raise errors.changed_meanwhile()
    check_may(tx.conn, hub, document_of(str(row.body)), "approve", actor)
    rollouts.check_alone(tx, hub, standard_id)
    payload = facts.StandardApproved(
        standard_id=standard_id, version=version, sha256=row.sha256, effective_from_ms=effective_from_ms
    )
    _record(tx, payload, standard_id, version, actor)


def withdraw(hub: Hub, standard_id: str, version: int, reason: str, actor: str, command_id: str) -> None:
    """Take a published version out of use; takes effect with the next signed catalogue."""
    with hub.journal.work() as tx:
        if tx.once(command_id) is None:
            row = _get(tx, hub, standard_id, version, "withdrawn")
            check_may(tx.conn, hub, document_of(str(row.body)), "approve", actor)
            rollouts.check_stands_still(tx, hub, standard_id, version)
            payload = facts.StandardWithdrawn(standard_id=standard_id, version=version, reason=reason)
            _record(tx, payload, standard_id, version, actor)
            publishing.ask_for_signatures(tx, hub, actor)
            tx.done(command_id, True)


def assigned_to(conn: Connection, hub: Hub, plants: Sequence[str]) -> dict[str, dict[str, Assigned]]:
    """What each plant is to run by the latest catalogue and its waves; nothing before the first publication."""
    found = find_catalogue(conn, hub.code)
    if found is None:
        return {plant: {} for plant in plants}
    catalogue, rollouts = found[0], list_choosing(conn, hub)
    return {
        plant: {
            a.id: a for a in assignment_for(catalogue, plant, 1, 0, chosen_among(rollouts, plant, catalogue)).standards
        }
        for plant in plants
    }


def _check_may_draft(tx: Work, hub: Hub, document: AnyStandard, actor: str) -> None:
    row = find_version(tx.conn, hub.code, document.id, document.version)
    if row is not None and not may("rewritten", row.status):
        raise errors.wrong_status(document.id, document.version, row.status, "rewritten")
    if row is not None and row.drafted_by != actor:
        raise errors.not_its_author()
    before = find_before(tx.conn, hub, document)
    if before is not None and before.kind != document.kind:
        raise errors.another_kind(document.id, before.kind)
    later = [
        other
        for other in list_versions(tx.conn, hub.code)
        if other.standard_id == document.id and other.version > document.version and other.status != "draft"
    ]
    if later:
        raise errors.wrong_status(document.id, later[-1].version, later[-1].status, "followed by a lower number")


def _get(tx: Work, hub: Hub, standard_id: str, version: int, step: str) -> Row[Any]:
    row = find_version(tx.conn, hub.code, standard_id, version)
    if row is None:
        raise errors.unknown_version(standard_id, version)
    if not may(step, row.status):
        raise errors.wrong_status(standard_id, version, row.status, step)
    return row


def _record(tx: Work, payload: Payload, standard_id: str, version: int, actor: str) -> None:
    subjects = (f"standard:{standard_id}:{version}",)
    tx.record(Draft(payload=payload, subjects=subjects, actor=actor, occurred=Occurred(tx.now_ms(), "manual")))
