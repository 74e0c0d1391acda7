"""Lines of transfers as both sides tell them: the sender's list joined with the receiver's receipts, state derived."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, Row, and_, or_

from shared.transfers.domain import (
    LineFacts,
    LineTimes,
    MassComparison,
    MassLimits,
    compare_mass,
    line_flags,
    line_state,
)
from shared.transfers.line_query import LineFilter, line_query, narrow
from shared.transfers.tables import shipment_line

__all__ = ["LineFilter", "TransferLine", "find_lines", "find_lines_in_state", "lines_of"]

DEFAULT_LIMITS = MassLimits()
CHUNK_LINES = 500
"""Lines read at once while looking for those of one derived state."""


@dataclass(frozen=True)
class TransferLine:
    """One piece on the way between two plants: what its sender says, what its receiver says, what follows.

    Masses in grams, times in UTC ms; the receiver's part is empty (None, "", 0) until it spoke.
    """

    shipment_id: str
    shipment_number: str
    sender: str
    receiver: str
    lane: str
    mode: str
    vehicle: str
    carrier: str
    position: str
    material_id: str
    number: str
    kind: str
    grade: str
    order_item: str
    quality: str
    custody_no: int
    sender_mass_g: int
    sender_basis: str
    sender_scale: str
    departed_at_ms: int
    eta_ms: int
    entered: str
    withdrawn: bool
    withdrawn_at_ms: int
    sent_fact: str
    arrived_at_ms: int | None
    closed_at_ms: int | None
    receipt_id: str | None
    own_number: str | None
    receiver_mass_g: int | None
    receiver_basis: str | None
    receiver_scale: str | None
    received_at_ms: int | None
    damage: str
    received_fact: str | None
    came_unlisted: bool
    refused_at_ms: int | None
    returned_at_ms: int | None
    diverted_at_ms: int | None
    lost_at_ms: int | None
    mass: MassComparison | None
    flags: tuple[str, ...]
    state: str

    @property
    def is_awaited(self) -> bool:
        """Whether it may still come to its addressee: on its way, and nobody has said otherwise."""
        said = (self.receipt_id, self.refused_at_ms, self.returned_at_ms, self.lost_at_ms)
        return not self.withdrawn and self.state != "delivered" and all(word is None for word in said)

    @property
    def key(self) -> str:
        """The cursor of this line in lists."""
        return f"{self.shipment_id}.{self.material_id}"


def find_lines(
    conn: Connection, wanted: LineFilter, *, after: str = "", limit: int = 1000, limits: MassLimits = DEFAULT_LIMITS
) -> list[TransferLine]:
    """Lines of all senders, the youngest load first, with their state derived from both sides' facts."""
    query = narrow(line_query(), wanted)
    if after:
        load, _, piece = after.partition(".")
        sid, mid = shipment_line.c.shipment_id, shipment_line.c.material_id
        query = query.where(or_(sid < load, and_(sid == load, mid > piece)))
    query = query.order_by(shipment_line.c.shipment_id.desc(), shipment_line.c.material_id).limit(limit)
    return [_to_line(row, limits) for row in conn.execute(query)]


def lines_of(
    conn: Connection, shipments: Sequence[str], *, limits: MassLimits = DEFAULT_LIMITS
) -> dict[str, list[TransferLine]]:
    """The lines of several loads, by load."""
    found: dict[str, list[TransferLine]] = {}
    for at in range(0, len(shipments), CHUNK_LINES):
        part = shipments[at : at + CHUNK_LINES]
        query = line_query().where(shipment_line.c.shipment_id.in_(part)).order_by(shipment_line.c.material_id)
        for row in conn.execute(query):
            found.setdefault(row.shipment_id, []).append(_to_line(row, limits))
    return found


def find_lines_in_state(
    conn: Connection, wanted: LineFilter, state: str, *, after: str, limit: int, limits: MassLimits = DEFAULT_LIMITS
) -> list[TransferLine]:
    """The same, of one derived state: reads on until a page is full."""
    found: list[TransferLine] = []
    wanted = replace(wanted, state=state)
    while len(found) < limit:
        chunk = find_lines(conn, wanted, after=after, limit=CHUNK_LINES, limits=limits)
        found += [line for line in chunk if line.state == state]
        if len(chunk) < CHUNK_LINES:
            break
        after = chunk[-1].key
    return found[:limit]


def _to_line(row: Row[Any], limits: MassLimits) -> TransferLine:
    received = row.receipt_id is not None and not _came_back(row)
    # an outside party need not weigh
    mass = compare_mass(row.mass_g, row.mass_basis, row.came_g, row.came_basis, limits) if row.came_g else None
    lost_at_ms = max(row.lost_by_sender_ms, row.lost_by_receiver_ms) if _both_lost(row) else None
    facts = LineFacts(
        row.withdrawn,
        row.arrived_at_ms is not None,
        row.closed_at_ms is not None,
        received,
        mass,
        row.damage or "",
        row.refused_at_ms is not None,
        row.returned_at_ms is not None,
        lost_at_ms is not None,
        row.diverted_at_ms is not None,
        left_for_good=row.confirms is not None and not row.confirms,
    )
    return TransferLine(
        **{name: row._mapping[name] for name in _AS_TOLD},
        receiver=row.to_plant,
        sender_mass_g=row.mass_g,
        sender_basis=row.mass_basis,
        sender_scale=row.scale,
        sent_fact=row.fact_id,
        receiver_mass_g=row.came_g,
        receiver_basis=row.came_basis,
        receiver_scale=row.came_scale,
        damage=row.damage or "",
        received_fact=row.came_fact,
        came_unlisted=bool(row.came_unlisted),
        lost_at_ms=lost_at_ms,
        flags=line_flags(
            LineTimes(row.departed_at_ms, row.recorded_at_ms, row.received_at_ms, row.came_recorded_ms),
            row.mass_g,
            row.came_basis or "",
        ),
        mass=mass,
        state=line_state(facts),
    )


def _came_back(row: Row[Any]) -> bool:
    """An outside party sends back what it had received: what its answering plant says last holds."""
    return row.confirms is not None and row.returned_at_ms is not None


def _both_lost(row: Row[Any]) -> bool:
    """A loss counts once both sides signed it."""
    return row.lost_by_sender_ms is not None and row.lost_by_receiver_ms is not None


_AS_TOLD = (
    "shipment_id",
    "shipment_number",
    "sender",
    "lane",
    "mode",
    "vehicle",
    "carrier",
    "position",
    "material_id",
    "number",
    "kind",
    "grade",
    "order_item",
    "quality",
    "custody_no",
    "departed_at_ms",
    "eta_ms",
    "entered",
    "withdrawn",
    "withdrawn_at_ms",
    "arrived_at_ms",
    "closed_at_ms",
    "receipt_id",
    "own_number",
    "received_at_ms",
    "refused_at_ms",
    "returned_at_ms",
    "diverted_at_ms",
)
"""Columns that a line shows under their own name."""
