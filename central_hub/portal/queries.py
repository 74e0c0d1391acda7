"""Reads of the portal's first page over all authors: small, bounded, from the projected rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, func, select

from shared.material.tables import material
from shared.performance.queries import production_days, sums
from shared.quality.tables import hold
from shared.transfers.domain import GRACE_MS, GRACE_OTHER_MS
from shared.transfers.lines import LineFilter, TransferLine, find_lines
from shared.transfers.tables import awaiting_episode, transfer_case

LINES_READ = 2_000
"""Open lines of a group: a few trains and trucks between each pair of plants."""
CASES_SHOWN = 8


@dataclass(frozen=True, slots=True)
class Stock:
    """Live pieces of a plant without its heats, and the held part of them; masses in grams."""

    pieces: int = 0
    mass_g: int = 0
    held: int = 0
    held_g: int = 0


@dataclass(frozen=True, slots=True)
class Lane:
    """What is on the way from one plant to another; masses in grams by the sender, times in UTC ms."""

    sender: str
    receiver: str
    mode: str
    loads: int
    pieces: int
    mass_g: int
    oldest_ms: int
    late: int
    overdue: int


def stocks(conn: Connection) -> dict[str, Stock]:
    """Plant -> stock."""
    c = material.c
    here = (c.state == "live") & (c.kind != "heat")
    open_hold = (
        select(hold.c.material_id)
        .where(
            hold.c.author == c.author,
            hold.c.material_id == c.material_id,
            hold.c.released_at_ms.is_(None),
            hold.c.placed_at_ms.is_not(None),
        )
        .exists()
    )
    every = conn.execute(select(c.author, func.count(), func.sum(c.mass_g)).where(here).group_by(c.author)).all()
    held = conn.execute(
        select(c.author, func.count(), func.sum(c.mass_g)).where(here, open_hold).group_by(c.author)
    ).all()
    blocked = {author: (int(pieces), int(grams)) for author, pieces, grams in held}
    return {author: Stock(int(pieces), int(grams), *blocked.get(author, (0, 0))) for author, pieces, grams in every}


def lanes(conn: Connection, now_ms: int) -> list[Lane]:
    """Lanes that carry something now, by sender and receiver."""
    grouped: dict[tuple[str, str, str], list[TransferLine]] = {}
    for line in find_lines(conn, LineFilter(open_only=True), limit=LINES_READ):
        if line.state in ("in_transit", "arrived"):
            grouped.setdefault((line.sender, line.receiver, line.mode), []).append(line)
    return [_lane(*key, lines, now_ms) for key, lines in sorted(grouped.items())]


def _lane(sender: str, receiver: str, mode: str, lines: Sequence[TransferLine], now_ms: int) -> Lane:
    grace = GRACE_MS.get(mode, GRACE_OTHER_MS)
    waiting = [line for line in lines if line.arrived_at_ms is None and line.eta_ms]
    return Lane(
        sender,
        receiver,
        mode,
        len({line.shipment_id for line in lines}),
        len(lines),
        sum(line.sender_mass_g for line in lines),
        min(line.departed_at_ms for line in lines),
        sum(1 for line in waiting if line.eta_ms < now_ms),
        sum(1 for line in waiting if line.eta_ms + grace < now_ms),
    )


def open_cases(conn: Connection) -> Sequence[Row[Any]]:
    """Cases nobody has resolved, the oldest first."""
    c = transfer_case.c
    return conn.execute(select(transfer_case).where(c.state == "open").order_by(c.since_ms, c.case_id)).all()


def open_episodes(conn: Connection) -> Sequence[Row[Any]]:
    """Receipts that wait for data of a sender who is behind: no case."""
    c = awaiting_episode.c
    return conn.execute(select(awaiting_episode).where(c.closed.is_(False)).order_by(c.opened_at_ms)).all()


def good_today(conn: Connection, author: str) -> tuple[str, int]:
    """The plant's youngest production day with figures, and the good grams of all its units on it."""
    days = production_days(conn, author, 1)
    if not days:
        return "", 0
    found = sums(conn, author=author, days=days)
    return days[0], sum(measures.get("good_g", 0) for measures in found.values())
