"""A change of the plant's own part of its set, whatever stands with the group's part.

Where everything binds, the whole is bound anew as after any change. Where the group's part cannot be bound now, or the
group has assigned nothing yet, that part stays as it is in force and the plant's own changes alone: its people ask
nobody, also not a group that is waited for.
"""

from __future__ import annotations

import msgspec
from sqlalchemy import Connection

from local_mes.plant import Plant
from local_mes.standards.adopt import (
    EffectiveSet,
    effective,
    equipment,
    install,
    kept,
    record,
    record_installed,
    trusted_assignment,
)
from local_mes.standards.own_in_force import own_in_force
from local_mes.standards.tables import standards_trust
from shared.journal.journal import Work
from shared.standards import facts
from shared.standards.queries import (
    Adopted,
    find_adoption,
    find_rejection,
    find_version,
    list_deviations,
    list_in_force,
)
from shared.standards.trust import TrustError


def install_own(tx: Work, plant: Plant, actor: str) -> None:
    """Bind anew after a standard of the plant's own came or went; in the caller's transaction."""
    if not _bound_as_a_whole(tx, plant, actor):
        refusal, last = find_rejection(tx.conn, plant.code), find_adoption(tx.conn, plant.code)
        of = (last.catalogue_version, last.assignment_version) if last else (0, 0)
        record_installed(tx, plant, _beside(tx.conn, plant), of, actor)
        if refusal is not None:  # an adoption says that nothing is refused any more, and this one has not asked
            again = facts.StandardsRejected(
                catalogue_version=refusal.catalogue_version,
                reason=refusal.reason,
                code=refusal.code,
                missing=tuple(msgspec.json.decode(refusal.missing, type=list[str])),
            )
            record(tx, plant, again, actor)


def _bound_as_a_whole(tx: Work, plant: Plant, actor: str) -> bool:
    if tx.conn.execute(standards_trust.select().where(standards_trust.c.plant == plant.code)).first() is None:
        return False
    try:
        found = trusted_assignment(tx.conn, plant.code)
        if found is None or effective(tx.conn, plant, *found).missing:
            return False
    except TrustError:  # the catalogue has moved on and its assignment does not fit here
        return False
    install(tx, plant, *found, actor)
    return True


def _beside(conn: Connection, plant: Plant) -> EffectiveSet:
    """What is in force of the group's, bound to today's units and deviations as far as it can be; and the plant's own."""
    units, deviations = equipment(plant), list_deviations(conn, plant.code, active_at_ms=plant.clock.now_ms())
    of_group = [old for old in list_in_force(conn, plant.code) if not _is_own(conn, plant.code, old)]
    standards = [kept(conn, plant.code, old, units, deviations) for old in of_group]
    standards += own_in_force(conn, plant.code, {old.standard_id for old in of_group}, units, deviations)
    return EffectiveSet(tuple(standards), tuple(sorted(d.deviation_id for d in deviations)), (), 0)


def _is_own(conn: Connection, plant: str, old: Adopted) -> bool:
    row = find_version(conn, plant, old.standard_id, old.version) if old.standard_id.startswith(f"{plant}-") else None
    return row is not None and row.sha256 == old.sha256
