"""Pieces that nobody told of: held under a provisional identity until their sender's data are here."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row

from local_mes.plant import Plant
from local_mes.transfers.checking import ACTOR
from shared.ids import derived_id, new_id
from shared.journal.fact import Draft, Occurred
from shared.journal.journal import Work
from shared.material.facts import MaterialIdentified
from shared.quality.facts import HoldPlaced, HoldReleased
from shared.quality.queries import list_holds

AWAITING_RULE = "T-AWAIT"
AWAITING_REASON = "awaiting the sender's data"


def await_data(plant: Plant, tx: Work, material_id: str, actor: str, occurred: Occurred) -> None:
    """Nothing is done with a piece that nobody told of until its sender's data is here."""
    hold_id = new_id(plant.clock)
    hold = HoldPlaced(hold_id=hold_id, material_id=material_id, reason=AWAITING_REASON, rule_id=AWAITING_RULE)
    tx.record(Draft(hold, (material_id, hold_id), actor, occurred))


def was_awaited(conn: Connection, plant: Plant, provisional_id: str) -> bool:
    """Whether a piece was ever held for its sender's data."""
    return bool(list_holds(conn, author=plant.code, ids=[provisional_id], rule_id=AWAITING_RULE))


def is_awaited(conn: Connection, provisional_id: str) -> bool:
    """Whether it still is."""
    return bool(list_holds(conn, state="open", ids=[provisional_id], rule_id=AWAITING_RULE))


def end_waiting(tx: Work, provisional_id: str, at_ms: int, note: str) -> None:
    """End the hold of a piece that nobody had told of."""
    for hold in list_holds(tx.conn, state="open", ids=[provisional_id], rule_id=AWAITING_RULE):
        released = HoldReleased(hold_id=hold.hold_id, material_id=provisional_id, disposition="prime", note=note)
        tx.record(Draft(released, (provisional_id, hold.hold_id), ACTOR, Occurred(at_ms, ACTOR)))


def identification(
    plant: Plant, row: Row[Any], material_id: str, evidence: str, actor: str, occurred: Occurred, cause: str
) -> Draft[MaterialIdentified]:
    """The piece that came in under a provisional identity is this one; the same fact however often it is said."""
    fact = MaterialIdentified(provisional_id=row.taken_in_as, material_id=material_id, evidence=evidence)
    fact_id = derived_id(row.received_at_ms, plant.code, "identified", row.receipt_id)
    return Draft(fact, (material_id, row.taken_in_as), actor, occurred, fact_id=fact_id, causes=(cause,))
