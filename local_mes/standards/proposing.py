"""Proposing a deviation that does well here to the group."""

from __future__ import annotations

from local_mes.plant import Plant
from shared.errors import NotFound, Refused
from shared.ids import new_id
from shared.journal.fact import Draft, Occurred
from shared.standards.queries import find_in_force, list_deviations
from shared.standards.talk_facts import ImprovementProposed
from shared.standards.talk_queries import list_proposals


def propose(plant: Plant, deviation_id: str, reason: str, by: tuple[str, str], command_id: str) -> str:
    """Propose the value of a deviation in force as the group's; by: person id and name. Returns the proposal's id."""
    actor, name = by
    with plant.journal.work() as tx:
        known = tx.once(command_id)
        if known is not None:
            return str(known)
        active = {d.deviation_id: d for d in list_deviations(tx.conn, plant.code, active_at_ms=tx.now_ms())}
        deviation = active.get(deviation_id)
        adopted = find_in_force(tx.conn, plant.code, deviation.standard_id) if deviation else None
        if deviation is None or adopted is None:
            raise NotFound("standards.no_deviation", "There is no such deviation in force.", todo="Look in the list.")
        same = (deviation.standard_id, deviation.parameter, deviation.value)
        if any(
            (p.standard_id, p.parameter, p.value) == same for p in list_proposals(tx.conn, plant.code) if not p.answer
        ):
            raise Refused("standards.proposed_already", "This is proposed already.", todo="Wait for the answer.")
        proposal_id = new_id(plant.clock)
        payload = ImprovementProposed(
            proposal_id=proposal_id,
            standard_id=deviation.standard_id,
            version=adopted.version,
            parameter=deviation.parameter,
            value=deviation.value,
            since_ms=deviation.declared_ms,
            reason=reason,
            proposed_by=name,
        )
        occurred = Occurred(tx.now_ms(), "manual")
        tx.record(Draft(payload=payload, subjects=(proposal_id,), actor=actor, occurred=occurred))
        tx.done(command_id, proposal_id)
    return proposal_id
