"""Quality that changes while a piece is on its way: the sender amends what it said, the receiver heeds it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, and_, select

from local_mes.plant import Plant
from local_mes.transfers.checking import ACTOR
from local_mes.transfers.listed import get_sent_line
from local_mes.transfers.pieces import describe
from shared.db.engine import read
from shared.ids import derived_id
from shared.journal.fact import Draft, Occurred
from shared.journal.journal import Work
from shared.material.queries import find_material, get_material
from shared.material.trace import trace
from shared.quality.facts import HoldPlaced
from shared.transfers.facts import AmendmentTaken, PieceData, QualityAmended
from shared.transfers.tables import receipt, shipment, transfer_word

RULE = "T-AMENDED"


@dataclass(frozen=True)
class AmendCommand:
    """What the sender found out of a piece that left. chemistry_e6: corrected elements, 1e-6 mass fraction."""

    command_id: str
    actor: str
    shipment: str
    piece: str
    reason: str
    grade: str = ""
    chemistry_e6: dict[str, int] = field(default_factory=dict)


def amend(plant: Plant, command: AmendCommand) -> dict[str, Any]:
    """Tell the receiver what is known of a piece now: chemistry, grade, and whether it is held here."""
    with plant.journal.work() as tx:
        earlier = tx.once(command.command_id)
        if earlier is not None:
            return dict(earlier)
        line = get_sent_line(tx.conn, plant.code, command.shipment, command.piece)
        known = describe(tx.conn, get_material(tx.conn, plant.code, line.material_id))
        piece = msgspec.structs.replace(
            known, grade=command.grade or known.grade, chemistry_e6=known.chemistry_e6 | command.chemistry_e6
        )
        fact = QualityAmended(shipment_id=line.shipment_id, piece=piece, reason=command.reason)
        subjects = (line.material_id, line.shipment_id)
        occurred = Occurred(tx.now_ms(), "manual")
        tx.record(Draft(fact, subjects, command.actor, occurred, causes=(line.sent_fact,)))
        result = {"shipment_id": line.shipment_id, "material_id": line.material_id, "quality": piece.quality}
        tx.done(command.command_id, result)
        return result


def heed_amendments(plant: Plant) -> int:
    """Hold what came before its amendment did, or what was made of it; returns how many amendments were taken."""
    with read(plant.node.engine) as conn:
        if not _untaken(conn, plant.code):
            return 0
    with plant.journal.work() as tx:
        words = _untaken(tx.conn, plant.code)
        for word in words:
            _take(plant, tx, word, _affected(tx.conn, plant.code, word.material_id))
        return len(words)


def note_amendments(plant: Plant, tx: Work, shipment_id: str, material_id: str) -> None:
    """At a receipt: what the sender changed before is known with it, and needs no hold of its own."""
    for word in _untaken(tx.conn, plant.code):
        if (word.shipment_id, word.material_id) == (shipment_id, material_id):
            _take(plant, tx, word, ())


def _untaken(conn: Connection, here: str) -> list[Row[Any]]:
    """Amendments of pieces that were received here and that we did not answer yet, oldest first."""
    w, taken = transfer_word.c, transfer_word.alias()
    ours = and_(shipment.c.author == w.author, shipment.c.shipment_id == w.shipment_id, shipment.c.to_plant == here)
    here_now = and_(
        receipt.c.author == here, receipt.c.shipment_id == w.shipment_id, receipt.c.material_id == w.material_id
    )
    answered = and_(taken.c.kind == "taken", taken.c.author == here, taken.c.about == w.fact_id)
    query = (
        select(transfer_word)
        .join_from(transfer_word, shipment, ours)
        .where(w.kind == "amended", select(receipt.c.receipt_id).where(here_now).exists())
        .where(~select(taken.c.fact_id).where(answered).exists())
        .order_by(w.recorded_at_ms, w.fact_id)
    )
    return list(conn.execute(query))


def _affected(conn: Connection, here: str, material_id: str) -> tuple[str, ...]:
    """What lives here of the piece: itself, or what was made of it."""
    rows = trace(conn, material_id, "forward").rows
    return tuple(sorted({row.material_id for row in rows if row.author == here and row.state == "live"}))


def _take(plant: Plant, tx: Work, word: Row[Any], affected: tuple[str, ...]) -> None:
    at_ms = tx.now_ms()
    piece = msgspec.json.decode(word.detail, type=PieceData)
    own = find_material(tx.conn, plant.code, word.material_id)
    fact = AmendmentTaken(
        amended_by=word.fact_id,
        shipment_id=word.shipment_id,
        from_plant=word.author,
        material_id=word.material_id,
        used=own is not None and own.state != "live",
        held=affected,
        reason=word.note,
    )
    fact_id = derived_id(word.recorded_at_ms, plant.code, "amendment", word.fact_id)
    subjects = (word.material_id, word.shipment_id)
    tx.record(Draft(fact, subjects, ACTOR, Occurred(at_ms, ACTOR), fact_id=fact_id, causes=(word.fact_id,)))
    for material_id in affected:
        hold = HoldPlaced(
            hold_id=derived_id(word.recorded_at_ms, plant.code, "amended", word.fact_id, material_id),
            material_id=material_id,
            reason=f"{word.author} changed what it says of {piece.number}: {word.note}",
            rule_id=RULE,
        )
        tx.record(Draft(hold, (material_id, hold.hold_id), ACTOR, Occurred(at_ms, ACTOR), causes=(fact_id,)))
