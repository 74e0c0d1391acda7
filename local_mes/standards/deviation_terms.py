"""A deviation goes on, or somebody who did not ask for it says yes or no to it.

It is in force from the moment it is declared: a plant never waits for a person elsewhere. An objection is a word too, the
plant ends the deviation or not; the group sees all of it.
"""

from __future__ import annotations

from sqlalchemy import Connection, select

from local_mes.plant import Plant
from local_mes.standards import errors
from local_mes.standards.deviations import LONGEST_MS
from shared.errors import BadInput, NotFound
from shared.journal.archived import whole_bodies
from shared.journal.fact import Draft, Occurred, decode
from shared.journal.journal import Work
from shared.journal.tables import fact
from shared.standards.deviation_facts import DeviationJudged, DeviationRenewed
from shared.standards.deviation_rows import Verdict
from shared.standards.facts import DeviationDeclared
from shared.standards.queries import Deviation, list_deviations


def renew(plant: Plant, deviation_id: str, expires_ms: int, reason: str, actor: str, command_id: str) -> None:
    """Let a deviation in force go on until a later time, at most a year from now; it waits for approval anew."""
    with plant.journal.work() as tx:
        if tx.once(command_id) is not None:
            return
        found = _get(tx, plant, deviation_id)
        if not found.expires_ms < expires_ms <= tx.now_ms() + LONGEST_MS:
            raise BadInput(
                "standards.expiry",
                "A renewal must end later than the deviation does, and within a year from now.",
                todo="Give another day, or end the deviation.",
            )
        _record(tx, DeviationRenewed(deviation_id=deviation_id, expires_ms=expires_ms, reason=reason), actor)
        tx.done(command_id, True)


def judge(
    plant: Plant, deviation_id: str, expires_ms: int, verdict: Verdict, reason: str, actor: str, command_id: str
) -> None:
    """Say yes or no to a deviation in force as it was shown (expires_ms); Denied for the person who asked for it."""
    with plant.journal.work() as tx:
        if tx.once(command_id) is not None:
            return
        found = _get(tx, plant, deviation_id)
        if found.expires_ms != expires_ms:
            raise errors.renewed_meanwhile()
        if asked_by(tx.conn, found) == actor:
            raise errors.own_deviation()
        payload = DeviationJudged(
            plant=plant.code, deviation_id=deviation_id, expires_ms=expires_ms, verdict=verdict, reason=reason
        )
        _record(tx, payload, actor)
        tx.done(command_id, True)


def asked_by(conn: Connection, deviation: Deviation) -> str:
    """Who wants it as it stands: the last who renewed it, else who declared it; "" when that fact is not held here."""
    if deviation.past.renewals:
        return deviation.past.renewals[-1].renewed_by
    c = fact.c
    query = select(c.fact_id, c.recorded_at_ms, c.body, c.archived_in)
    # rows do not say who declared, the fact does; one transaction records it, so its time finds it
    found = query.where(
        c.type == DeviationDeclared.__name__, c.author == deviation.plant, c.recorded_at_ms == deviation.declared_ms
    )
    facts = [decode(body) for body in whole_bodies(conn, conn.execute(found).all())]
    return next((f.actor for f in facts if f.payload.deviation_id == deviation.deviation_id), "")


def _get(tx: Work, plant: Plant, deviation_id: str) -> Deviation:
    for found in list_deviations(tx.conn, plant.code, active_at_ms=tx.now_ms()):
        if found.deviation_id == deviation_id:
            return found
    raise NotFound("standards.no_deviation", "There is no such deviation in force.", todo="Look in the list.")


def _record(tx: Work, payload: DeviationRenewed | DeviationJudged, actor: str) -> None:
    occurred = Occurred(tx.now_ms(), "manual")
    tx.record(Draft(payload=payload, subjects=(payload.deviation_id,), actor=actor, occurred=occurred))
