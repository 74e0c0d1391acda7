"""Closing a receipt: the receiver has unloaded everything there was; what is on the list and not here is short."""

from __future__ import annotations

from typing import Any

from local_mes.plant import Plant
from local_mes.transfers import errors
from local_mes.transfers.matching import match_in
from shared.journal.fact import Draft, Occurred
from shared.transfers.facts import ReceiptClosed
from shared.transfers.lines import LineFilter, find_lines
from shared.transfers.queries import find_close, find_shipment


def close_receipt(
    plant: Plant, shipment: str, *, actor: str, command_id: str, at_ms: int | None = None
) -> dict[str, Any]:
    """Say that nothing more comes of a load; answers how many were received and the numbers that are short."""
    with plant.journal.work() as tx:
        earlier = tx.once(command_id)
        if earlier is not None:
            return dict(earlier)
        load = find_shipment(tx.conn, shipment, receiver=plant.code)
        if load is None:
            raise errors.unknown_load(shipment, plant.code)
        if find_close(tx.conn, plant.code, load.shipment_id) is not None:
            raise errors.closed_already(load.number)
        match_in(plant, tx)  # a piece that waits under its painted number is not short
        lines = find_lines(tx.conn, LineFilter(shipment_id=load.shipment_id, receiver=plant.code))
        short = [line for line in lines if line.is_awaited]
        at = at_ms or tx.now_ms()
        fact = ReceiptClosed(
            shipment_id=load.shipment_id,
            shipment_number=load.number,
            received=sum(line.receipt_id is not None for line in lines),
            short_ids=tuple(line.material_id for line in short),
            from_plant=load.author,
        )
        subjects = (load.shipment_id, *fact.short_ids)
        tx.record(Draft(fact, subjects, actor, Occurred(at, "manual"), causes=(load.fact_id,)))
        result = {
            "shipment_id": load.shipment_id,
            "number": load.number,
            "received": fact.received,
            "short": sorted(line.number for line in short),
        }
        tx.done(command_id, result)
        return result
