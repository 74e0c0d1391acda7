"""The daily balance of each lane: what was on the way, shipped, received, is on the way, is disputed; sender's mass.

on the way at start + shipped = received + returned + on the way + disputed + written off, to the gram: each line is in one place.
Figures are as of the earlier of both plants' watermarks, so that none of them can be changed by data still to come.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Row, select

from central_hub.transfers.watermarks import watermarks
from shared.transfers.lines import LineFilter, TransferLine, find_lines
from shared.transfers.tables import receipt, transfer_case

DAY_MS = 86_400_000
LINES_MAX = 200_000
"""Lines of one balance: far above a group's month."""
LOST = ("lost",)


@dataclass
class Sum:
    """Pieces and grams."""

    pieces: int = 0
    mass_g: int = 0

    def add(self, mass_g: int) -> None:
        """One more piece."""
        self.pieces += 1
        self.mass_g += mass_g


@dataclass
class LaneBalance:
    """One lane (sender-receiver) from from_ms to as_of_ms; claimed is in the receiver's mass, the rest in the sender's."""

    lane: str
    sender: str
    receiver: str
    from_ms: int
    as_of_ms: int
    at_start: Sum = field(default_factory=Sum)
    shipped: Sum = field(default_factory=Sum)
    received: Sum = field(default_factory=Sum)
    on_the_way: Sum = field(default_factory=Sum)
    disputed: Sum = field(default_factory=Sum)
    written_off: Sum = field(default_factory=Sum)
    returned: Sum = field(default_factory=Sum)
    claimed: Sum = field(default_factory=Sum)
    oldest_ms: int | None = None

    @property
    def mass_at_start_g(self) -> int:
        """Grams on the way when the period began."""
        return self.at_start.mass_g

    @property
    def unexplained_g(self) -> int:
        """What the balance does not close by; 0, or the hub itself is wrong."""
        ends = (self.received, self.returned, self.on_the_way, self.disputed, self.written_off)
        return self.at_start.mass_g + self.shipped.mass_g - sum(end.mass_g for end in ends)


def start_of_day(at_ms: int) -> int:
    """Midnight UTC before a time: group figures know one day."""
    return at_ms - at_ms % DAY_MS


def read_balance(conn: Connection, from_ms: int, to_ms: int) -> list[LaneBalance]:
    """The balance of every lane that moved or has something on the way, by name."""
    through = watermarks(conn)
    cases = _short_cases(conn)
    lanes: dict[str, LaneBalance] = {}
    for line in find_lines(conn, LineFilter(since_ms=from_ms), limit=LINES_MAX):
        lane = _lane(lanes, line.sender, line.receiver, from_ms, to_ms, through)
        if not 0 < line.withdrawn_at_ms <= lane.as_of_ms or line.receipt_id is not None:
            _count(lane, line, cases.get((line.shipment_id, line.material_id)))
    _count_claims(conn, lanes, from_ms, to_ms, through)
    return [lanes[name] for name in sorted(lanes)]


def _lane(
    lanes: dict[str, LaneBalance], sender: str, receiver: str, from_ms: int, to_ms: int, through: Mapping[str, int]
) -> LaneBalance:
    name = f"{sender}-{receiver}"
    if name not in lanes:
        as_of = max(from_ms, min(to_ms, *(through.get(plant, 0) for plant in (sender, receiver) if plant)))
        lanes[name] = LaneBalance(name, sender, receiver, from_ms, as_of)
    return lanes[name]


def _count(lane: LaneBalance, line: TransferLine, case: Row[Any] | None) -> None:
    if line.departed_at_ms > lane.as_of_ms:
        return
    opening = lane.at_start if line.departed_at_ms < lane.from_ms else lane.shipped
    opening.add(line.sender_mass_g)
    if line.received_at_ms is not None and line.received_at_ms <= lane.as_of_ms:
        lane.received.add(line.sender_mass_g)
    elif 0 < (line.returned_at_ms or 0) <= lane.as_of_ms:
        lane.returned.add(line.sender_mass_g)
    elif _is_lost(line, case, lane.as_of_ms):
        lane.written_off.add(line.sender_mass_g)
    elif (case is not None and case.since_ms <= lane.as_of_ms) or 0 < (line.closed_at_ms or 0) <= lane.as_of_ms:
        lane.disputed.add(line.sender_mass_g)
    else:
        lane.on_the_way.add(line.sender_mass_g)
        lane.oldest_ms = min(lane.oldest_ms or line.departed_at_ms, line.departed_at_ms)


def _is_lost(line: TransferLine, case: Row[Any] | None, as_of_ms: int) -> bool:
    """Given up by both sides, or by the person who ended the case."""
    by_case = case is not None and case.resolution in LOST and case.resolved_at_ms <= as_of_ms
    return by_case or 0 < (line.lost_at_ms or 0) <= as_of_ms


def _short_cases(conn: Connection) -> dict[tuple[str, str], Row[Any]]:
    """Cases of short pieces by (shipment, material)."""
    query = select(transfer_case).where(transfer_case.c.kind == "short")
    return {(r.shipment_id, r.material_id): r for r in conn.execute(query)}


def _count_claims(
    conn: Connection, lanes: dict[str, LaneBalance], from_ms: int, to_ms: int, through: Mapping[str, int]
) -> None:
    c = receipt.c
    query = select(c.author, c.from_plant, c.mass_g, c.received_at_ms).where(c.provisional.is_(True))
    for row in conn.execute(query):
        lane = _lane(lanes, row.from_plant, row.author, from_ms, to_ms, through)
        if row.received_at_ms <= lane.as_of_ms:
            lane.claimed.add(row.mass_g)
