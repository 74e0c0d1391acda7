"""Standards of the plant's own: written, tried, put in force and taken back by its own people, without asking anyone.

An own standard's id begins with the plant's code, so it can never be taken for one of the group's. It is bound like
every standard, stands in the plant's effective set under the one hash, and reaches the hub as facts: the group sees it.
It comes and goes also while the group's part cannot be bound (beside.py).
What does not bind any more, because the model was changed, is left out of force and shown; the group's standards never
wait for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, select

from local_mes.plant import Plant
from local_mes.standards import errors
from local_mes.standards.adopt import equipment
from local_mes.standards.beside import install_own
from local_mes.standards.own_queries import find_deployment, list_deployments
from local_mes.standards.own_trial import Trial, bounds, try_on_day
from shared.db.engine import read
from shared.journal.fact import Draft, Occurred, Payload
from shared.journal.journal import Work
from shared.standards.binding import bind
from shared.standards.canonical import body_of, sha256
from shared.standards.check import document_faults
from shared.standards.documents import AnyStandard, GroupRule, parse_body, parse_document
from shared.standards.facts import StandardDrafted
from shared.standards.own_facts import OwnStandardDeployed
from shared.standards.product_kinds import Substitution
from shared.standards.queries import find_in_force, find_version, list_deviations, list_versions
from shared.standards.tables import in_force

__all__ = [
    "OwnVersion",
    "Trial",
    "back",
    "bounds",
    "deploy",
    "find_bound",
    "list_own",
    "take_out",
    "try_draft",
    "write",
]

DRAFT = "draft"


@dataclass(frozen=True)
class OwnVersion:
    """A version of the plant's own. runs: in force now; wanted: deployed, and not in force while `missing` says why."""

    document: AnyStandard
    sha256: str
    status: str
    written_by: str
    written_ms: int
    wanted: bool
    runs: bool
    missing: tuple[str, ...] = ()
    reason: str = ""
    trial: str = ""


def list_own(conn: Connection, plant: Plant) -> list[OwnVersion]:
    """Every version written here, by id, the newest first."""
    deployed = list_deployments(conn, plant.code)
    rows = sorted(list_versions(conn, plant.code), key=lambda row: (str(row.standard_id), -int(str(row.version))))
    return [_own(conn, plant, row, deployed.get(str(row.standard_id))) for row in rows]


def write(plant: Plant, document: object, actor: str, command_id: str) -> AnyStandard:
    """Write a new version, or rewrite a draft; checked whole, with its cases."""
    parsed = parse_document(document)
    if not parsed.id.startswith(f"{plant.code}-"):
        raise errors.not_own(parsed.id, plant.code)
    if isinstance(parsed, GroupRule):
        raise errors.rule_of_hub()
    if isinstance(parsed, Substitution):
        raise errors.grades_of_group()
    if faults := document_faults(parsed):
        raise errors.faulty(faults)
    with plant.journal.work() as tx:
        if tx.once(command_id) is not None:
            return parsed
        row = find_version(tx.conn, plant.code, parsed.id, parsed.version)
        if row is not None and row.status != DRAFT:
            raise errors.deployed_before(parsed.id, parsed.version)
        body = body_of(parsed)
        drafted = StandardDrafted(
            standard_id=parsed.id,
            version=parsed.version,
            kind=parsed.kind,
            title=parsed.title,
            sha256=sha256(body),
            body=body.decode(),
        )
        _record(tx, drafted, parsed.id, parsed.version, actor)
        tx.done(command_id, True)
    return parsed


def find_bound(conn: Connection, plant: Plant, standard_id: str, version: int) -> tuple[AnyStandard, str]:
    """A version and its hash, as long as it can be bound here."""
    row = _get(conn, plant, standard_id, version)
    document = parse_body(str(row.body).encode())
    _check_binds(conn, plant, document)
    return document, str(row.sha256)


def try_draft(conn: Connection, plant: Plant, standard_id: str, version: int, day: str) -> Trial:
    """What a version would have said on a production day, beside what was said; changes nothing."""
    return try_on_day(conn, plant, _document(conn, plant, standard_id, version), day)


def deploy(
    plant: Plant,
    standard_id: str,
    version: int,
    seen: str,
    reason: str,
    actor: str,
    command_id: str,
    day: str = "",
    staged: str = "",
) -> None:
    """Put exactly this body in force now. seen: its hash as shown; day: a production day it is tried on first.

    staged: what came of a trial of it in a staging copy, for the record.
    """
    trial = _try_seen(plant, standard_id, version, seen, day) if day else staged  # takes seconds: nobody waits to write
    with plant.journal.work() as tx:
        if tx.once(command_id) is not None:
            return
        _check_binds(tx.conn, plant, _seen(tx.conn, plant, standard_id, version, seen))
        _put(tx, plant, (standard_id, version, seen), reason, actor, trial=trial)
        tx.done(command_id, True)


def back(plant: Plant, standard_id: str, reason: str, actor: str, command_id: str) -> int:
    """Put the version before in force again; none of it where it was the first. Returns that version, or 0."""
    with plant.journal.work() as tx:
        known = tx.once(command_id)
        if known is not None:
            return int(known)
        running = find_in_force(tx.conn, plant.code, standard_id)
        if running is None or standard_id not in list_deployments(tx.conn, plant.code):
            raise errors.not_deployed(standard_id)
        before = _before(tx.conn, plant, standard_id, running.version)
        if before[0]:
            _check_binds(tx.conn, plant, _document(tx.conn, plant, standard_id, before[0]))
        _put(tx, plant, (standard_id, *before), reason, actor, is_back=True)
        tx.done(command_id, before[0])
    return before[0]


def take_out(plant: Plant, standard_id: str, reason: str, actor: str, command_id: str) -> None:
    """None of it is in force any more; its versions stay."""
    with plant.journal.work() as tx:
        if tx.once(command_id) is None:
            row = find_deployment(tx.conn, plant.code, standard_id)
            if row is None or not row.version:
                raise errors.not_deployed(standard_id)
            _put(tx, plant, (standard_id, 0, ""), reason, actor)
            tx.done(command_id, True)


def _try_seen(plant: Plant, standard_id: str, version: int, seen: str, day: str) -> str:
    with read(plant.node.engine) as conn:
        return try_on_day(conn, plant, _seen(conn, plant, standard_id, version, seen), day).text


def _seen(conn: Connection, plant: Plant, standard_id: str, version: int, seen: str) -> AnyStandard:
    """The document, if it still is what was shown."""
    row = _get(conn, plant, standard_id, version)
    if row.sha256 != seen:
        raise errors.changed_meanwhile()
    return parse_body(str(row.body).encode())


def _put(
    tx: Work,
    plant: Plant,
    what: tuple[str, int, str],
    reason: str,
    actor: str,
    *,
    trial: str = "",
    is_back: bool = False,
) -> None:
    standard_id, version, digest = what
    last = find_deployment(tx.conn, plant.code, standard_id)
    said = OwnStandardDeployed(
        standard_id=standard_id, version=version, sha256=digest, reason=reason, trial=trial, back=is_back
    )
    _record(tx, said, standard_id, version, actor)
    install_own(tx, plant, actor)
    running = find_in_force(tx.conn, plant.code, standard_id)
    runs = running.sha256 if running else ""
    if (runs != digest) if version else (last is not None and runs == last.sha256):
        raise errors.group_has_it(standard_id)


def _before(conn: Connection, plant: Plant, standard_id: str, version: int) -> tuple[int, str]:
    """The version of a lower number that ran last, and its hash: what was gone back from never comes again by this."""
    c = in_force.c
    where = (c.author == plant.code, c.standard_id == standard_id, c.version < version, c.until_ms.is_not(None))
    row = conn.execute(
        select(c.version, c.sha256).where(*where).order_by(c.until_ms.desc(), c.version.desc()).limit(1)
    ).first()
    return (row.version, row.sha256) if row else (0, "")


def _check_binds(conn: Connection, plant: Plant, document: AnyStandard) -> None:
    missing = _missing(conn, plant, document)
    if missing:
        raise errors.does_not_bind(missing)


def _missing(conn: Connection, plant: Plant, document: AnyStandard) -> tuple[str, ...]:
    deviations = list_deviations(conn, plant.code, active_at_ms=plant.clock.now_ms())
    return bind(document, plant.code, equipment(plant), deviations).missing


def _own(conn: Connection, plant: Plant, row: Row[Any], deployed: Row[Any] | None) -> OwnVersion:
    document = parse_body(row.body.encode())
    wanted = deployed is not None and (deployed.version, deployed.sha256) == (row.version, row.sha256)
    running = find_in_force(conn, plant.code, row.standard_id) if wanted else None
    return OwnVersion(
        document,
        row.sha256,
        row.status,
        row.drafted_by,
        row.drafted_ms or 0,
        wanted,
        running is not None and running.sha256 == row.sha256,
        _missing(conn, plant, document) if wanted and running is None else (),
        deployed.reason if wanted and deployed else "",
        deployed.trial if wanted and deployed else "",
    )


def _get(conn: Connection, plant: Plant, standard_id: str, version: int) -> Row[Any]:
    row = find_version(conn, plant.code, standard_id, version)
    if row is None:
        raise errors.no_own(standard_id, version)
    return row


def _document(conn: Connection, plant: Plant, standard_id: str, version: int) -> AnyStandard:
    return parse_body(str(_get(conn, plant, standard_id, version).body).encode())


def _record(tx: Work, payload: Payload, standard_id: str, version: int, actor: str) -> None:
    subjects = (f"standard:{standard_id}:{version}",)
    tx.record(Draft(payload=payload, subjects=subjects, actor=actor, occurred=Occurred(tx.now_ms(), "manual")))
