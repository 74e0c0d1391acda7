"""The daily balance of each lane: what was on the way, shipped, received, is on the way, is disputed; sender's mass.

on the way at start + shipped = received + returned + on the way + disputed + written off, to the gram: each line is in one place.
Beside it stand the receiver's own books, counted by themselves: what they took in for lines of the lane and what no line
explains. Where the two differ, the lines are named.
Figures are as of the earlier of both plants' watermarks, so that none of them can be changed by data still to come.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Row, select

from central_hub.transfers.standing import LOST, ended_at, find_since, key_of
from central_hub.transfers.watermarks import watermarks
from shared.transfers.lines import TransferLine
from shared.transfers.tables import receipt, transfer_case

DAY_MS = 86_400_000
LOADS_A_QUERY = 500


@dataclass
class Sum:
    """Pieces and grams."""

    pieces: int = 0
    mass_g: int = 0

    def add(self, mass_g: int) -> None:
        """One more piece."""
        self.pieces += 1
        self.mass_g += mass_g


@dataclass(frozen=True)
class Named:
    """A line or receipt that keeps sender's and receiver's books apart. pieces +1: left and is nowhere; -1: came from nowhere."""

    number: str
    shipment_number: str
    pieces: int
    mass_g: int
    why: str
    case_id: str = ""


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
    named: list[Named] = field(default_factory=list)

    @property
    def mass_at_start_g(self) -> int:
        """Grams on the way when the period began."""
        return self.at_start.mass_g

    @property
    def unexplained_g(self) -> int:
        """What the balance does not close by; 0, or the hub itself is wrong."""
        ends = (self.received, self.returned, self.on_the_way, self.disputed, self.written_off)
        return self.at_start.mass_g + self.shipped.mass_g - sum(end.mass_g for end in ends)

    @property
    def remainder(self) -> Sum:
        """What sender's and receiver's books do not agree on: the sum of the lines that are named."""
        return Sum(sum(one.pieces for one in self.named), sum(one.mass_g for one in self.named))


def start_of_day(at_ms: int) -> int:
    """Midnight UTC before a time: group figures know one day."""
    return at_ms - at_ms % DAY_MS


@dataclass(frozen=True)
class Books:
    """Everything the balances of a stretch of time are made from, read once."""

    lines: Sequence[TransferLine]
    receipts: Sequence[Row[Any]]
    short: Mapping[tuple[str, str], Row[Any]]
    cases: Mapping[str, str]
    through: Mapping[str, int]


def read_balance(conn: Connection, from_ms: int, to_ms: int) -> list[LaneBalance]:
    """The balance of every lane that moved or has something on the way, by name."""
    return balance_of(read_books(conn, from_ms), from_ms, to_ms)


def read_days(conn: Connection, from_ms: int, to_ms: int) -> list[tuple[int, list[LaneBalance]]]:
    """(start of a UTC day, balances of its lanes) from the day of from_ms to that of to_ms, the youngest first."""
    first = start_of_day(from_ms)
    books = read_books(conn, first)
    days = range(start_of_day(to_ms), first - 1, -DAY_MS)
    return [(day, balance_of(books, day, min(day + DAY_MS - 1, to_ms))) for day in days]


def read_books(conn: Connection, from_ms: int) -> Books:
    """Lines that stood at from_ms or left since, receipts of them and on no list, and their cases; a few statements."""
    lines = find_since(conn, from_ms)
    c, r = transfer_case.c, receipt.c
    cases = conn.execute(select(transfer_case).where(c.kind.in_(("short", "unannounced", "double_receipt")))).all()
    columns = (r.author, r.from_plant, r.receipt_id, r.shipment_id, r.shipment_number, r.material_id, r.printed_number)
    query = select(*columns, r.mass_g, r.received_at_ms, r.provisional)
    loads = sorted({line.shipment_id for line in lines if line.receipt_id is not None})
    rows: list[Row[Any]] = list(conn.execute(query.where(r.provisional.is_(True))))
    for at in range(0, len(loads), LOADS_A_QUERY):
        mine = r.shipment_id.in_(loads[at : at + LOADS_A_QUERY])
        rows += list(conn.execute(query.where(mine, r.provisional.is_(False))))
    return Books(
        lines,
        rows,
        {(case.shipment_id, case.material_id): case for case in cases if case.kind == "short"},
        {case.receipt_id: case.case_id for case in cases if case.receipt_id},
        watermarks(conn),
    )


def balance_of(books: Books, from_ms: int, to_ms: int) -> list[LaneBalance]:
    """The balance of every lane from books that reach back to from_ms."""
    lanes: dict[str, LaneBalance] = {}
    for line in books.lines:
        case = books.short.get(key_of(line))
        end = ended_at(line) or (case.resolved_at_ms if case is not None and case.resolution in LOST else None)
        if line.departed_at_ms > to_ms or (end is not None and end < from_ms):
            continue
        lane = _lane(lanes, line.sender, line.receiver, from_ms, to_ms, books.through)
        if not 0 < line.withdrawn_at_ms <= lane.as_of_ms or line.receipt_id is not None:
            _count(lane, line, case)
    _count_receipts(books, lanes, from_ms, to_ms)
    return [lanes[name] for name in sorted(lanes)]


def _lane(
    lanes: dict[str, LaneBalance], sender: str, receiver: str, from_ms: int, to_ms: int, through: Mapping[str, int]
) -> LaneBalance:
    """The lane's balance; somebody outside the group has no watermark, the sender answers for what it told."""
    name = f"{sender}-{receiver}"
    if name not in lanes:
        seen = [through[plant] for plant in (sender, receiver) if plant in through]
        lanes[name] = LaneBalance(name, sender, receiver, from_ms, max(from_ms, min(to_ms, *seen, to_ms)))
    return lanes[name]


def _count(lane: LaneBalance, line: TransferLine, case: Row[Any] | None) -> None:
    if line.departed_at_ms > lane.as_of_ms:
        return
    opening = lane.at_start if line.departed_at_ms < lane.from_ms else lane.shipped
    opening.add(line.sender_mass_g)
    if _is_received(line, lane.as_of_ms):
        lane.received.add(line.sender_mass_g)
    elif 0 < (line.returned_at_ms or 0) <= lane.as_of_ms:
        lane.returned.add(line.sender_mass_g)
    elif _is_lost(line, case, lane.as_of_ms):
        lane.written_off.add(line.sender_mass_g)
    elif (case is not None and case.since_ms <= lane.as_of_ms) or 0 < (line.closed_at_ms or 0) <= lane.as_of_ms:
        lane.disputed.add(line.sender_mass_g)
        why = f"left {line.sender}; {line.receiver} has not taken it in"
        case_id = "" if case is None else case.case_id
        lane.named.append(Named(line.number, line.shipment_number, 1, line.sender_mass_g, why, case_id))
    else:
        lane.on_the_way.add(line.sender_mass_g)
        lane.oldest_ms = min(lane.oldest_ms or line.departed_at_ms, line.departed_at_ms)


def _is_received(line: TransferLine, as_of_ms: int) -> bool:
    """Taken in; or gone to somebody outside who confirms nothing: delivered as it left."""
    if line.received_at_ms is not None:
        return line.received_at_ms <= as_of_ms
    return line.state == "delivered"


def _is_lost(line: TransferLine, case: Row[Any] | None, as_of_ms: int) -> bool:
    """Given up by both sides, or by the person who ended the case."""
    by_case = case is not None and case.resolution in LOST and case.resolved_at_ms <= as_of_ms
    return by_case or 0 < (line.lost_at_ms or 0) <= as_of_ms


def _count_receipts(books: Books, lanes: dict[str, LaneBalance], from_ms: int, to_ms: int) -> None:
    """The receivers' books by themselves: what was taken in on no list, or more often than it was shipped."""
    firsts = {line.receipt_id for line in books.lines}
    for row in books.receipts:
        if row.receipt_id in firsts:
            continue
        lane = _lane(lanes, row.from_plant, row.author, from_ms, to_ms, books.through)
        if row.received_at_ms > lane.as_of_ms:
            continue
        why = f"came to {row.author} on no list"
        if row.provisional:
            lane.claimed.add(row.mass_g)
        elif row.received_at_ms >= from_ms:
            why = f"{row.author} took it in once more, or elsewhere than it was sent"
        else:
            continue
        number, load, case_id = row.printed_number, row.shipment_number, books.cases.get(row.receipt_id, "")
        lane.named.append(Named(number, load, -1, -row.mass_g, why, case_id))
