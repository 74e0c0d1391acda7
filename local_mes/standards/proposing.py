"""Proposing to the group what does well here: the value of a deviation, or a standard of the plant's own as a whole."""

from __future__ import annotations

from sqlalchemy import Connection

from local_mes.plant import Plant
from local_mes.standards import errors
from local_mes.standards.own_queries import find_deployment
from shared.errors import NotFound, Refused
from shared.ids import new_id
from shared.journal.fact import Draft, Occurred
from shared.journal.journal import Work
from shared.performance.before_after import KpiChange, read_changes
from shared.standards.documents import AnyStandard
from shared.standards.queries import Adopted, Deviation, find_in_force, list_deviations
from shared.standards.talk_facts import ImprovementProposed
from shared.standards.talk_queries import classes_spoken_of, list_proposals


def propose(plant: Plant, deviation_id: str, reason: str, by: tuple[str, str], command_id: str) -> str:
    """Propose the value of a deviation in force as the group's; by: person id and name. Returns the proposal's id."""
    with plant.journal.work() as tx:
        known = tx.once(command_id)
        if known is not None:
            return str(known)
        active = {d.deviation_id: d for d in list_deviations(tx.conn, plant.code, active_at_ms=tx.now_ms())}
        deviation = active.get(deviation_id)
        adopted = find_in_force(tx.conn, plant.code, deviation.standard_id) if deviation else None
        if deviation is None or adopted is None:
            raise NotFound("standards.no_deviation", "There is no such deviation in force.", todo="Look in the list.")
        what = (deviation.parameter, deviation.value, deviation.declared_ms)
        proposal_id = _record(tx, plant, adopted, what, reason, by)
        tx.done(command_id, proposal_id)
    return proposal_id


def propose_own(plant: Plant, standard_id: str, reason: str, by: tuple[str, str], command_id: str) -> str:
    """Propose the version in force of a standard of the plant's own to the group. Returns the proposal's id."""
    with plant.journal.work() as tx:
        known = tx.once(command_id)
        if known is not None:
            return str(known)
        adopted = _own_in_force(tx.conn, plant, standard_id)
        if adopted is None:
            raise errors.not_deployed(standard_id)
        proposal_id = _record(tx, plant, adopted, ("", "", adopted.since_ms), reason, by)
        tx.done(command_id, proposal_id)
    return proposal_id


def figures_since(
    conn: Connection, plant: Plant, document: AnyStandard, deviation: Deviation | None = None
) -> list[KpiChange]:
    """The plant's KPIs before and since it deviates, or since its own standard is in force; none while it is not."""
    adopted = None if deviation else _own_in_force(conn, plant, document.id)
    since_ms = deviation.declared_ms if deviation else adopted.since_ms if adopted else None
    if since_ms is None:
        return []
    classes = classes_spoken_of(conn, plant.code, document, deviation.parameter if deviation else "")
    return read_changes(conn, plant.code, since_ms, plant.clock.now_ms(), classes)


def _own_in_force(conn: Connection, plant: Plant, standard_id: str) -> Adopted | None:
    return find_in_force(conn, plant.code, standard_id) if find_deployment(conn, plant.code, standard_id) else None


def _record(
    tx: Work, plant: Plant, adopted: Adopted, what: tuple[str, str, int], reason: str, by: tuple[str, str]
) -> str:
    parameter, value, since_ms = what
    same = (adopted.standard_id, parameter, value, adopted.version if not parameter else 0)
    if any(
        (p.standard_id, p.parameter, p.value, p.version if not p.parameter else 0) == same
        for p in list_proposals(tx.conn, plant.code)
        if not p.answer
    ):
        raise Refused("standards.proposed_already", "This is proposed already.", todo="Wait for the answer.")
    actor, name = by
    proposal_id = new_id(plant.clock)
    payload = ImprovementProposed(
        proposal_id=proposal_id,
        standard_id=adopted.standard_id,
        version=adopted.version,
        parameter=parameter,
        value=value,
        since_ms=since_ms,
        reason=reason,
        proposed_by=name,
    )
    occurred = Occurred(tx.now_ms(), "manual")
    tx.record(Draft(payload=payload, subjects=(proposal_id,), actor=actor, occurred=occurred))
    return proposal_id
