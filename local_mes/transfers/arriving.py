"""A vehicle is at the gate, announced or not."""

from __future__ import annotations

from typing import Any

from local_mes.plant import Plant
from shared.journal.fact import Draft, Occurred
from shared.transfers.facts import LoadArrived
from shared.transfers.queries import find_shipment


def arrive(plant: Plant, shipment: str, *, actor: str, command_id: str, at_ms: int | None = None) -> dict[str, Any]:
    """A vehicle is at the gate; its load need not be known here."""
    with plant.journal.work() as tx:
        earlier = tx.once(command_id)
        if earlier is not None:
            return dict(earlier)
        load = find_shipment(tx.conn, shipment, receiver=plant.code)
        at = at_ms or tx.now_ms()
        fact = LoadArrived(
            shipment_number=load.number if load else shipment,
            shipment_id=load.shipment_id if load else "",
            arrived_at_ms=at,
            from_plant=load.author if load else "",
        )
        tx.record(Draft(fact, (fact.shipment_id or fact.shipment_number,), actor, Occurred(at, "manual")))
        result = {"shipment_id": fact.shipment_id, "number": fact.shipment_number}
        tx.done(command_id, result)
        return result
