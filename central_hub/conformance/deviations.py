"""Deviations of the plants as the group sees them, and its yes or no, which goes back to the plant."""

from __future__ import annotations

from sqlalchemy import Connection

from central_hub.hub import Hub, downlink
from central_hub.standards import errors
from central_hub.standards.recording import record
from central_hub.standards.rights import check_may
from shared.standards.deviation_facts import DeviationJudged
from shared.standards.deviation_rows import Verdict
from shared.standards.queries import Deviation, find_document, find_in_force, list_deviations


def list_active(conn: Connection, hub: Hub) -> list[Deviation]:
    """Those in force, what nobody has approved first."""
    found = list_deviations(conn, active_at_ms=hub.clock.now_ms())
    return sorted(found, key=lambda d: (d.approval == "approved", d.expires_ms, d.plant, d.deviation_id))


def judge(
    hub: Hub, plant: str, deviation_id: str, expires_ms: int, verdict: Verdict, reason: str, actor: str, command_id: str
) -> None:
    """Say yes or no to a plant's deviation as it was shown (expires_ms); the plant reads it, and goes on meanwhile."""
    with hub.journal.work() as tx:
        if tx.once(command_id) is not None:
            return
        found = _get(tx.conn, hub, plant, deviation_id)
        if found.expires_ms != expires_ms:
            raise errors.renewed_meanwhile()
        adopted = find_in_force(tx.conn, plant, found.standard_id)
        document = find_document(tx.conn, found.standard_id, adopted.version, adopted.sha256) if adopted else None
        if document is not None:
            check_may(tx.conn, hub, document, "approve", actor)
        elif any(right.may == "approve" for right in hub.settings.office):
            raise errors.not_theirs("approve", "standard")  # nobody can say here of what kind and area it is
        payload = DeviationJudged(
            plant=plant, deviation_id=deviation_id, expires_ms=expires_ms, verdict=verdict, reason=reason
        )
        fact_id = record(tx, hub, payload, deviation_id, actor)
        tx.relay(fact_id, downlink(hub.code, plant))
        tx.done(command_id, True)


def _get(conn: Connection, hub: Hub, plant: str, deviation_id: str) -> Deviation:
    for found in list_deviations(conn, plant, active_at_ms=hub.clock.now_ms()):
        if found.deviation_id == deviation_id:
            return found
    raise errors.no_deviation(plant)
