"""Receipts that a restore tore: of what was recorded at once, the first part is back and the rest is lost.

A batch may end within a transaction. When its plant is put back to a backup then, what the hub had of it comes back: a
piece tied to its line and not identified would stand twice in the books, one that nobody told of would not be held.
Such a part ends where a life of the plant's stream does, so those ends are looked at, and what is missing is recorded.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, select

from local_mes.plant import Plant
from local_mes.transfers.checking import ACTOR, inherit_holds
from local_mes.transfers.looking import damage_hold, hold_damaged, hold_for_paper, paper_hold
from local_mes.transfers.waiting import await_data, end_waiting, identification, is_awaited, was_awaited
from shared.journal.archived import bodies_of
from shared.journal.fact import Occurred, decode_envelope
from shared.journal.journal import Work
from shared.journal.reading import lives
from shared.journal.tables import entry, fact, head
from shared.material.queries import find_material
from shared.quality.queries import find_hold, list_holds
from shared.transfers.facts import PieceData
from shared.transfers.lines import LineFilter, find_lines
from shared.transfers.queries import find_receipt_of, get_piece
from shared.transfers.tables import transfer_word

LOOK_BACK_MS = 90 * 86_400_000
"""Ends that are older were looked at long ago."""
PARTS = (
    "MaterialReceived",
    "ReceiptMatched",
    "MaterialIdentified",
    "CertificateCompared",
    "HoldPlaced",
    "HoldReleased",
)
"""Facts that are recorded with others when a piece is taken in or tied to its line."""
NOTE = "what a restore lost of it is recorded again"


@dataclass(frozen=True)
class Gaps:
    """What a receipt lacks of what was recorded with it.

    wait: the hold of a piece that nobody told of; identity: what it was found to be, or the end of that hold; damage: the
    hold for damage; paper: what its paper says otherwise, where the hold for that is missing; held: the piece with those
    holds of its sender that were not taken over.
    """

    wait: bool
    identity: bool
    damage: bool
    paper: str
    held: PieceData | None

    @property
    def is_any(self) -> bool:
        """Whether there is something to record."""
        return self.wait or self.identity or self.damage or bool(self.paper) or self.held is not None


def find_torn(conn: Connection, plant: Plant) -> list[Row[Any]]:
    """Receipts that lack a part; a plant that was never restored asks no more than for its lives."""
    found = {row.receipt_id: row for row in _suspects(conn, plant)}
    return [row for row in found.values() if _gaps(conn, plant, row).is_any]


def finish(plant: Plant, tx: Work, row: Row[Any]) -> None:
    """Record what a receipt lacks."""
    gaps = _gaps(tx.conn, plant, row)
    at_ms = tx.now_ms()
    if gaps.wait:
        await_data(plant, tx, row.taken_in_as, ACTOR, Occurred(at_ms, ACTOR))
    if gaps.identity:
        tx.record(identification(plant, row, row.material_id, NOTE, ACTOR, Occurred(at_ms, ACTOR), row.fact_id))
        end_waiting(tx, row.taken_in_as, at_ms, NOTE)
    if gaps.damage:
        hold_damaged(plant, tx, row.receipt_id, row.material_id, row.damage, row.received_at_ms)
    if gaps.paper:
        hold_for_paper(plant, tx, row.receipt_id, row.material_id, gaps.paper, row.received_at_ms)
    if gaps.held is not None:
        inherit_holds(plant, tx, row.material_id, gaps.held, row.receipt_id, row.received_at_ms)


def _suspects(conn: Connection, plant: Plant) -> Iterator[Row[Any]]:
    """The receipts that the last facts of ended lives are about."""
    known = lives(conn, plant.code)
    present = conn.execute(select(head.c.epoch).where(head.c.stream == plant.code)).scalar() if len(known) > 1 else ""
    for life in known if present else ():
        for piece in _spoken_of(conn, plant, life.epoch, life.seq) if life.epoch != present else ():
            row = find_receipt_of(conn, plant.code, piece)
            if row is not None:
                yield row


def _spoken_of(conn: Connection, plant: Plant, epoch: str, seq: int) -> list[str]:
    """What the fact at this end is about, where it may be part of a receipt."""
    end = entry.c.stream == plant.code, entry.c.epoch == epoch, entry.c.seq == seq
    fits = fact.c.type.in_(PARTS), fact.c.recorded_at_ms >= plant.clock.now_ms() - LOOK_BACK_MS
    query = select(fact.c.fact_id).join_from(entry, fact, fact.c.fact_id == entry.c.fact_id).where(*end, *fits)
    bodies = bodies_of(conn, conn.execute(query).scalars().all())
    return sorted({subject.id for body in bodies.values() for subject in decode_envelope(body).subjects})


def _gaps(conn: Connection, plant: Plant, row: Row[Any]) -> Gaps:
    came, here = (find_material(conn, plant.code, piece) for piece in (row.taken_in_as, row.material_id))
    if came is None or here is None:
        return Gaps(wait=False, identity=False, damage=False, paper="", held=None)
    is_tied, is_live = row.taken_in_as != row.material_id, here.state == "live"
    waits = row.provisional and not row.custody_no and is_live
    hold_of_damage = damage_hold(plant, row.receipt_id, row.received_at_ms)
    return Gaps(
        wait=waits and not was_awaited(conn, plant, row.taken_in_as),
        identity=is_tied and (came.state != "identified" or is_awaited(conn, row.taken_in_as)),
        damage=is_live and bool(row.damage) and find_hold(conn, hold_of_damage) is None,
        paper=_paper(conn, plant, row) if is_live else "",
        held=_not_taken_over(conn, plant, row) if is_live and not row.provisional else None,
    )


def _paper(conn: Connection, plant: Plant, row: Row[Any]) -> str:
    """How the paper that came with it differs, where no hold says so."""
    if find_hold(conn, paper_hold(plant, row.receipt_id, row.received_at_ms)) is not None:
        return ""
    c = transfer_word.c
    found = select(c.note).where(c.kind == "differs", c.author == plant.code, c.about == row.receipt_id)
    return str(conn.execute(found.where(c.material_id == row.material_id)).scalar() or "")


def _not_taken_over(conn: Connection, plant: Plant, row: Row[Any]) -> PieceData | None:
    lines = find_lines(conn, LineFilter(shipment_id=row.shipment_id, material_id=row.material_id), limit=1)
    if not lines:
        return None
    piece = get_piece(conn, lines[0].sender, row.shipment_id, row.material_id)
    taken_over = {hold.inherited_from for hold in list_holds(conn, author=plant.code, ids=[row.material_id])}
    lost = tuple(hold_id for hold_id in piece.holds or ("",) if hold_id not in taken_over)
    return msgspec.structs.replace(piece, holds=lost) if piece.quality == "held" and lost else None
