"""Lines of transfers as both sides tell them: the sender's list joined with the receiver's receipts, state derived."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, func, literal, or_, select

from shared.transfers.domain import LineFacts, MassComparison, MassLimits, compare_mass, line_state
from shared.transfers.tables import arrival, receipt, receipt_close, shipment, shipment_line

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
    mass: MassComparison | None
    state: str

    @property
    def key(self) -> str:
        """The cursor of this line in lists."""
        return f"{self.shipment_id}.{self.material_id}"


@dataclass(frozen=True)
class LineFilter:
    """Which lines are wanted; empty means all.

    open_only leaves out what was received or never left; since_ms what was received before it.
    """

    sender: str = ""
    receiver: str = ""
    shipment_id: str = ""
    material_id: str = ""
    q: str = ""
    open_only: bool = False
    since_ms: int = 0


def find_lines(
    conn: Connection, wanted: LineFilter, *, after: str = "", limit: int = 1000, limits: MassLimits = DEFAULT_LIMITS
) -> list[TransferLine]:
    """Lines of all senders, the youngest load first, with their state derived from both sides' facts."""
    query = _where(_line_query(), wanted)
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
        query = _line_query().where(shipment_line.c.shipment_id.in_(part)).order_by(shipment_line.c.material_id)
        for row in conn.execute(query):
            found.setdefault(row.shipment_id, []).append(_to_line(row, limits))
    return found


def find_lines_in_state(
    conn: Connection, wanted: LineFilter, state: str, *, after: str, limit: int, limits: MassLimits = DEFAULT_LIMITS
) -> list[TransferLine]:
    """The same, of one derived state: reads on until a page is full."""
    found: list[TransferLine] = []
    while len(found) < limit:
        chunk = find_lines(conn, wanted, after=after, limit=CHUNK_LINES, limits=limits)
        found += [line for line in chunk if line.state == state]
        if len(chunk) < CHUNK_LINES:
            break
        after = chunk[-1].key
    return found[:limit]


def _line_query() -> Select[Any]:
    line, s, r = shipment_line.c, shipment.c, receipt.c
    other = receipt.alias()
    # a piece that was taken in twice is still one line: its first receipt stands for it, the case shows both
    earlier = (
        select(literal(1))
        .where(other.c.author == r.author, other.c.shipment_id == r.shipment_id, other.c.material_id == r.material_id,
               other.c.receipt_id < r.receipt_id)
        .correlate(receipt).exists()
    )
    ours = and_(r.author == s.to_plant, r.shipment_id == line.shipment_id, r.material_id == line.material_id, ~earlier)
    closed = (
        select(func.min(receipt_close.c.closed_at_ms))
        .where(receipt_close.c.author == s.to_plant, receipt_close.c.shipment_id == line.shipment_id)
        .scalar_subquery()
    )
    arrived = (
        select(func.min(arrival.c.arrived_at_ms))
        .where(arrival.c.author == s.to_plant, arrival.c.shipment_id == line.shipment_id)
        .scalar_subquery()
    )
    return (
        select(
            line.shipment_id,
            s.number.label("shipment_number"),
            line.author.label("sender"),
            s.to_plant,
            s.lane,
            s.mode,
            s.vehicle,
            line.position,
            line.material_id,
            line.number,
            line.kind,
            line.grade,
            line.order_item,
            line.quality,
            line.custody_no,
            line.mass_g,
            line.mass_basis,
            line.scale,
            line.departed_at_ms,
            s.eta_ms,
            line.entered,
            line.withdrawn,
            line.withdrawn_at_ms,
            line.fact_id,
            arrived.label("arrived_at_ms"),
            closed.label("closed_at_ms"),
            r.receipt_id,
            r.own_number,
            r.mass_g.label("came_g"),
            r.mass_basis.label("came_basis"),
            r.scale.label("came_scale"),
            r.received_at_ms,
            r.damage,
            r.fact_id.label("came_fact"),
            r.came_unlisted,
        )
        .join_from(shipment_line, shipment, and_(s.author == line.author, s.shipment_id == line.shipment_id))
        .join(receipt, ours, isouter=True)
    )


def _where(query: Select[Any], wanted: LineFilter) -> Select[Any]:
    line, s = shipment_line.c, shipment.c
    pairs = (
        (line.author, wanted.sender),
        (s.to_plant, wanted.receiver),
        (line.shipment_id, wanted.shipment_id),
        (line.material_id, wanted.material_id),
    )
    for column, value in pairs:
        if value:
            query = query.where(column == value)
    if wanted.q:
        like = f"%{wanted.q}%"
        query = query.where(or_(line.number.ilike(like), s.number.ilike(like), receipt.c.own_number.ilike(like)))
    if wanted.since_ms:
        query = query.where(or_(receipt.c.receipt_id.is_(None), receipt.c.received_at_ms >= wanted.since_ms))
    if wanted.open_only:
        query = query.where(receipt.c.receipt_id.is_(None), line.withdrawn.is_(False))
    return query


def _to_line(row: Row[Any], limits: MassLimits) -> TransferLine:
    received = row.receipt_id is not None
    mass = compare_mass(row.mass_g, row.mass_basis, row.came_g, row.came_basis, limits) if received else None
    facts = LineFacts(
        row.withdrawn, row.arrived_at_ms is not None, row.closed_at_ms is not None, received, mass, row.damage or ""
    )
    return TransferLine(
        shipment_id=row.shipment_id,
        shipment_number=row.shipment_number,
        sender=row.sender,
        receiver=row.to_plant,
        lane=row.lane,
        mode=row.mode,
        vehicle=row.vehicle,
        position=row.position,
        material_id=row.material_id,
        number=row.number,
        kind=row.kind,
        grade=row.grade,
        order_item=row.order_item,
        quality=row.quality,
        custody_no=row.custody_no,
        sender_mass_g=row.mass_g,
        sender_basis=row.mass_basis,
        sender_scale=row.scale,
        departed_at_ms=row.departed_at_ms,
        eta_ms=row.eta_ms,
        entered=row.entered,
        withdrawn=row.withdrawn,
        withdrawn_at_ms=row.withdrawn_at_ms,
        sent_fact=row.fact_id,
        arrived_at_ms=row.arrived_at_ms,
        closed_at_ms=row.closed_at_ms,
        receipt_id=row.receipt_id,
        own_number=row.own_number,
        receiver_mass_g=row.came_g,
        receiver_basis=row.came_basis,
        receiver_scale=row.came_scale,
        received_at_ms=row.received_at_ms,
        damage=row.damage or "",
        received_fact=row.came_fact,
        came_unlisted=bool(row.came_unlisted),
        mass=mass,
        state=line_state(facts),
    )
