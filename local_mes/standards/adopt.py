"""Taking in standards at the plant: verify, bind, adopt, in one transaction, or refuse with a reason and change nothing.

`adopt_pending(plant)` is called by the applier after foreign facts were applied, and by a job every minute. It looks
(one small read) whether there is anything to do: a new assignment arrived, a version's time to take hold has come, a
deviation has expired, the plant model was edited. The steps and their order are those of sync-protocol.md, 3.3;
the checks themselves are pure and stand in shared/standards/trust.py. Each assignment is judged once: after a refusal
the next one is waited for. Production waits for none of this.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, select

from local_mes.plant import Plant
from local_mes.standards.consent import agreed_to, answers_of
from local_mes.standards.own_in_force import own_in_force
from local_mes.standards.tables import standards_trust
from local_mes.standards.trusting import get_trusted, install_root, note_look, save_trusted
from shared.db.engine import read
from shared.errors import Refused
from shared.journal.fact import Draft, Occurred, Payload
from shared.journal.journal import Work
from shared.standards import facts, tables, trust
from shared.standards import messages as m
from shared.standards.binding import Equipment, bind, effective_hash
from shared.standards.documents import AnyStandard
from shared.standards.queries import (
    Adopted,
    Deviation,
    find_adoption,
    find_body,
    find_document,
    list_deviations,
    list_in_force,
)
from shared.standards.trust import Trusted, TrustError
from sync.peers import find_standards_root, list_peers

ACTOR = "standards"


@dataclass(frozen=True)
class EffectiveSet:
    """The set as it would be in force at a time, and when it changes by itself (0: never)."""

    standards: tuple[facts.InstalledStandard, ...]
    deviations: tuple[str, ...]
    missing: tuple[str, ...]
    next_look_ms: int

    @property
    def hash(self) -> str:
        """The set's one hash."""
        return effective_hash(self.standards, self.deviations)


def adopt_pending(plant: Plant) -> bool:
    """Take in what arrived and what has come due; returns whether anything was recorded."""
    with read(plant.node.engine) as conn:
        unrooted = _find_shipped_root(conn, plant.code)
        if unrooted is None and not _is_due(conn, plant):
            return False
    with plant.journal.work() as tx:
        if unrooted is not None:
            install_root(tx.conn, plant.code, *unrooted)
        if not _is_due(tx.conn, plant):  # another thread was quicker
            return False
        return _look(tx, plant)


def readopt(tx: Work, plant: Plant, actor: str) -> bool:
    """Bind the trusted assignment again after a deviation came or went; in the caller's transaction.

    False: nothing was assigned yet.
    """
    try:
        found = trusted_assignment(tx.conn, plant.code)
    except TrustError as error:  # the catalogue has moved on and its assignment does not fit here
        raise Refused(
            "standards.held",
            f"The latest assignment is held here, so nothing can be bound anew. {error.what}",
            todo="Mend what the standards page lists as missing; then try again.",
        ) from error
    if found is not None:
        install(tx, plant, *found, actor)
    return found is not None


def equipment(plant: Plant) -> list[Equipment]:
    """The plant's units as standards see them; a caster's granularity is one of its values."""
    told = plant.model.granularity
    return [
        Equipment(
            u.code,
            u.unit_class,
            {**u.parameters, **({"granularity": told[u.code]} if u.code in told else {})},
            frozenset(u.capabilities),
        )
        for u in plant.model.unit
    ]


def _find_shipped_root(conn: Connection, plant: str) -> tuple[str, str] | None:
    """Hub and root document of the enrolment, as long as no root is trusted yet."""
    if conn.execute(select(standards_trust.c.plant).where(standards_trust.c.plant == plant)).first():
        return None
    shipped = [(peer.code, find_standards_root(conn, peer.code)) for peer in list_peers(conn)]
    return next(((hub, root) for hub, root in shipped if root), None)


def _is_due(conn: Connection, plant: Plant) -> bool:
    row = conn.execute(select(standards_trust).where(standards_trust.c.plant == plant.code)).first()
    if row is None:
        return False
    latest = _assignment(conn, row.hub, plant.code)
    if latest is None:
        return False
    due = 0 < row.next_look_ms <= plant.clock.now_ms()
    return bool(latest.version > row.seen_assignment_version or due or row.model_sha256 != _model_hash(plant))


def _look(tx: Work, plant: Plant) -> bool:
    trusted, hub = get_trusted(tx.conn, plant.code)
    latest = _assignment(tx.conn, hub, plant.code)
    if latest is None:
        return False
    before = len(tx.recorded)
    try:
        trusted = _follow_roots(tx.conn, plant.code, hub, trusted)
        trusted, assignment = _verify(tx.conn, plant.code, hub, trusted, latest)
        install(tx, plant, trusted, assignment, ACTOR)
    except TrustError as error:
        refuse(tx, plant, latest.catalogue_version, error.code, error.what)
        note_look(tx.conn, plant.code, latest.version, 0, _model_hash(plant))
    return len(tx.recorded) > before


def _follow_roots(conn: Connection, plant: str, hub: str, trusted: Trusted) -> Trusted:
    rows = conn.execute(
        select(tables.root)
        .where(tables.root.c.author == hub, tables.root.c.version > trusted.root.version)
        .order_by(tables.root.c.version)
        .limit(trust.ROOT_CHAIN_MAX)
    ).all()
    for row in rows:
        trusted = trust.next_root(trusted, row.envelope.encode())
        save_trusted(conn, plant, trusted, root=row.envelope)
    return trusted


def _verify(conn: Connection, plant: str, hub: str, trusted: Trusted, latest: Row[Any]) -> tuple[Trusted, m.Assignment]:
    """Timestamp, catalogue, assignment; each step is kept when it holds, whatever the next one says."""
    trusted, timestamp = trust.accept_timestamp(trusted, latest.timestamp.encode())
    save_trusted(conn, plant, trusted)
    envelope = conn.execute(
        select(tables.catalogue.c.envelope).where(
            tables.catalogue.c.author == hub, tables.catalogue.c.version == timestamp.catalogue_version
        )
    ).scalar()
    if envelope is None:
        raise TrustError("mixed", f"Catalogue {timestamp.catalogue_version} is named but did not come.")
    trusted = trust.accept_catalogue(trusted, timestamp, envelope.encode())
    save_trusted(conn, plant, trusted, catalogue=envelope)
    return trust.accept_assignment(trusted, latest.envelope.encode(), plant)


def install(tx: Work, plant: Plant, trusted: Trusted, assignment: m.Assignment, actor: str) -> None:
    """Bind the whole assignment and record it, or record what is missing; never a part of it."""
    found = effective(tx.conn, plant, trusted, assignment)
    note_look(tx.conn, plant.code, assignment.version, found.next_look_ms, _model_hash(plant))
    if found.missing:
        reason = f"{len(found.missing)} thing(s) are missing here: {'; '.join(found.missing)}."
        refuse(tx, plant, assignment.catalogue_version, "standards.missing", reason, found.missing)
        return
    save_trusted(tx.conn, plant.code, trusted)
    last = find_adoption(tx.conn, plant.code)
    classes = {unit.unit: unit.unit_class for unit in equipment(plant)}
    unchanged = last is not None and last.effective_hash == found.hash and json.loads(last.equipment) == classes
    if unchanged and last is not None and last.catalogue_version == assignment.catalogue_version:
        return
    record_installed(tx, plant, found, (assignment.catalogue_version, assignment.version), actor)


def record_installed(tx: Work, plant: Plant, found: EffectiveSet, of: tuple[int, int], actor: str) -> None:
    """The set is in force from now on; of: the versions of catalogue and assignment it belongs to."""
    payload = facts.StandardsInstalled(
        catalogue_version=of[0],
        assignment_version=of[1],
        standards=found.standards,
        effective_hash=found.hash,
        equipment={unit.unit: unit.unit_class for unit in equipment(plant)},
        deviations=found.deviations,
    )
    record(tx, plant, payload, actor)


def effective(conn: Connection, plant: Plant, trusted: Trusted, assignment: m.Assignment) -> EffectiveSet:
    """What is in force now: assigned versions whose time has come; for the others the version they will replace."""
    now = max(plant.clock.now_ms(), trusted.time_floor_ms)
    present = {adopted.standard_id: adopted for adopted in list_in_force(conn, plant.code)}
    deviations = list_deviations(conn, plant.code, active_at_ms=now)
    units, answers = equipment(plant), answers_of(conn, plant.code)
    standards: list[facts.InstalledStandard] = []
    missing: list[str] = []
    looks = [d.expires_ms for d in deviations]
    for assigned in assignment.standards:
        old = present.get(assigned.id)
        agreed = agreed_to(assigned, old, answers)
        if agreed is not None:
            bound = bind(document_of(conn, trusted, assigned), plant.code, units, deviations)
            missing += bound.missing
            if agreed.effective_from_ms <= now:
                standards.append(_installed(agreed, bound.values))
                continue
            looks.append(agreed.effective_from_ms)
        if old is not None:
            standards.append(kept(conn, plant.code, old, units, deviations))
    standards += own_in_force(conn, plant.code, {assigned.id for assigned in assignment.standards}, units, deviations)
    return EffectiveSet(
        tuple(standards), tuple(sorted(d.deviation_id for d in deviations)), tuple(missing), min(looks, default=0)
    )


def _installed(assigned: m.Assigned, values: dict[str, int | str]) -> facts.InstalledStandard:
    return facts.InstalledStandard(assigned.id, assigned.version, assigned.sha256, assigned.effective_from_ms, values)


def kept(
    conn: Connection, plant: str, old: Adopted, units: Sequence[Equipment], deviations: Sequence[Deviation]
) -> facts.InstalledStandard:
    """What stays until its successor takes hold, bound to today's deviations: one may end while the plant is asked."""
    document = find_document(conn, old.standard_id, old.version, old.sha256)
    values = bind(document, plant, units, deviations).values if document else old.values
    return facts.InstalledStandard(old.standard_id, old.version, old.sha256, old.effective_from_ms, values)


def document_of(conn: Connection, trusted: Trusted, assigned: m.Assigned) -> AnyStandard:
    """The body of an assigned version, checked against the trusted catalogue; TrustError when it did not come."""
    entry = trusted.catalogue.find_version(assigned.id, assigned.version) if trusted.catalogue else None
    body = find_body(conn, assigned.id, assigned.version, assigned.sha256)
    if entry is None or body is None:
        raise TrustError("body_missing", f"The body of {assigned.id} v{assigned.version} did not come.")
    return trust.accept_body(entry, body.encode())


def trusted_assignment(conn: Connection, plant: str) -> tuple[Trusted, m.Assignment] | None:
    """What the plant trusts and was last assigned, verified anew; None before the first assignment."""
    trusted, hub = get_trusted(conn, plant)
    row = _assignment(conn, hub, plant, trusted.assignment_version)
    return trust.accept_assignment(trusted, row.envelope.encode(), plant) if row else None


def _assignment(conn: Connection, hub: str, plant: str, version: int | None = None) -> Row[Any] | None:
    table = tables.assignment
    query = select(table).where(table.c.author == hub, table.c.plant == plant)
    query = query.where(table.c.version == version) if version is not None else query
    return conn.execute(query.order_by(table.c.version.desc()).limit(1)).first()


def _model_hash(plant: Plant) -> str:
    units = equipment(plant)
    listed = [
        [u.unit, u.unit_class, dict(u.values), *([sorted(u.capabilities)] if u.capabilities else [])] for u in units
    ]
    return hashlib.sha256(json.dumps(listed, sort_keys=True).encode()).hexdigest()


def refuse(
    tx: Work, plant: Plant, catalogue_version: int, code: str, reason: str, missing: tuple[str, ...] = ()
) -> None:
    """Say that the assignment is not adopted, and why."""
    payload = facts.StandardsRejected(catalogue_version=catalogue_version, reason=reason, code=code, missing=missing)
    record(tx, plant, payload, ACTOR)


def record(tx: Work, plant: Plant, payload: Payload, actor: str) -> None:
    """A word about the plant's effective set."""
    tx.record(
        Draft(
            payload=payload,
            subjects=(f"effective:{plant.code}",),
            actor=actor,
            occurred=Occurred(tx.now_ms(), "system"),
        )
    )
