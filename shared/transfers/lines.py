"""Lines of transfers as both sides tell them: the sender's list joined with the receiver's receipts, state derived."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Row,
    ScalarSelect,
    Select,
    Table,
    and_,
    func,
    literal,
    or_,
    select,
)

from shared.transfers.domain import (
    LineFacts,
    LineTimes,
    MassComparison,
    MassLimits,
    compare_mass,
    line_flags,
    line_state,
)
from shared.transfers.tables import arrival, receipt, receipt_close, shipment, shipment_line
from shared.transfers.words import words_of_lines

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
    refused_at_ms: int | None
    returned_at_ms: int | None
    lost_at_ms: int | None
    mass: MassComparison | None
    flags: tuple[str, ...]
    state: str

    @property
    def key(self) -> str:
        """The cursor of this line in lists."""
        return f"{self.shipment_id}.{self.material_id}"


@dataclass(frozen=True)
class LineFilter:
    """Which lines are wanted; empty means all.

    open_only leaves out what was received, came back or never left; since_ms what was received before it.
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
    ours = and_(
        r.author == s.to_plant,
        r.shipment_id == line.shipment_id,
        r.material_id == line.material_id,
        ~_earlier_receipt(),
    )
    closed = _first(receipt_close, receipt_close.c.closed_at_ms).label("closed_at_ms")
    arrived = _first(arrival, arrival.c.arrived_at_ms).label("arrived_at_ms")
    words = and_(_SAID.c.shipment_id == line.shipment_id, _SAID.c.material_id == line.material_id)
    return (
        select(*_SENT, *_CAME, *_WORDS, arrived, closed)
        .join_from(shipment_line, shipment, and_(s.author == line.author, s.shipment_id == line.shipment_id))
        .join(receipt, ours, isouter=True)
        .join(_SAID, words, isouter=True)
    )


def _earlier_receipt() -> ColumnElement[bool]:
    """A piece that was taken in twice is still one line: its first receipt stands for it, the case shows both."""
    other, r = receipt.alias(), receipt.c
    same = (other.c.author == r.author, other.c.shipment_id == r.shipment_id, other.c.material_id == r.material_id)
    return select(literal(1)).where(*same, other.c.receipt_id < r.receipt_id).correlate(receipt).exists()


def _first(table: Table, at: Column[int]) -> ScalarSelect[int]:
    """When the addressee first said so of the load."""
    return (
        select(func.min(at))
        .where(table.c.author == shipment.c.to_plant, table.c.shipment_id == shipment_line.c.shipment_id)
        .scalar_subquery()
    )


_SAID = words_of_lines()
_WORDS = tuple(
    _SAID.c[name] for name in ("refused_at_ms", "returned_at_ms", "lost_by_sender_ms", "lost_by_receiver_ms")
)
_SENT = (
    *(
        shipment_line.c[name]
        for name in (
            "shipment_id",
            "position",
            "material_id",
            "number",
            "kind",
            "grade",
            "order_item",
            "quality",
            "custody_no",
            "mass_g",
            "mass_basis",
            "scale",
            "departed_at_ms",
            "entered",
            "withdrawn",
            "withdrawn_at_ms",
            "recorded_at_ms",
            "fact_id",
        )
    ),
    shipment_line.c.author.label("sender"),
    shipment.c.number.label("shipment_number"),
    *(shipment.c[name] for name in ("to_plant", "lane", "mode", "vehicle", "eta_ms")),
)
_CAME = (
    *(receipt.c[name] for name in ("receipt_id", "own_number", "received_at_ms", "damage", "came_unlisted")),
    receipt.c.mass_g.label("came_g"),
    receipt.c.mass_basis.label("came_basis"),
    receipt.c.scale.label("came_scale"),
    receipt.c.fact_id.label("came_fact"),
    receipt.c.recorded_at_ms.label("came_recorded_ms"),
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
        query = query.where(receipt.c.receipt_id.is_(None), line.withdrawn.is_(False), _SAID.c.returned_at_ms.is_(None))
    return query


def _to_line(row: Row[Any], limits: MassLimits) -> TransferLine:
    received = row.receipt_id is not None
    mass = compare_mass(row.mass_g, row.mass_basis, row.came_g, row.came_basis, limits) if received else None
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
    )
    told = row._mapping
    return TransferLine(
        **{name: told[name] for name in _AS_TOLD},
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
)
"""Columns that a line shows under their own name."""
