"""From when on an author's lines and receipts may still be unjudged, so that a look does not begin ten years ago."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sqlalchemy import Connection, func, select

from central_hub.transfers.tables import floor
from shared.db.upsert import upsert
from shared.transfers.tables import receipt
from sync.peers import list_peers

DAY_MS = 86_400_000
SLACK_MS = 30 * DAY_MS
"""Kept below the watermark: what a plant sends later was recorded later; a month more costs little and forgives much."""


def read_floors(conn: Connection) -> dict[str, int]:
    """Author -> ms of recording; an author without one is read from the beginning."""
    return {row.author: row.from_ms for row in conn.execute(select(floor))}


def open_spans(conn: Connection) -> list[tuple[str, int]]:
    """(author, from ms) of every plant: a look at each by itself finds its rows by the index, one over all reads all."""
    floors = read_floors(conn)
    return [(peer.code, floors.get(peer.code, 0)) for peer in list_peers(conn)]


def raised(
    conn: Connection, through: Mapping[str, int], unjudged: Iterable[tuple[str, int]], floors: Mapping[str, int]
) -> dict[str, int]:
    """The floors after a pass: below the watermark and below everything that is still to be judged; never lowered.

    A provisional receipt counts as unjudged until it is matched: only then its mass can be compared.
    """
    oldest = dict(through)
    provisional = select(receipt.c.author, func.min(receipt.c.recorded_at_ms)).where(receipt.c.provisional.is_(True))
    waiting = [(row[0], int(row[1])) for row in conn.execute(provisional.group_by(receipt.c.author))]
    for author, recorded_ms in (*unjudged, *waiting):
        if author in oldest:
            oldest[author] = min(oldest[author], recorded_ms)
    return {author: max(at_ms - SLACK_MS, floors.get(author, 0)) for author, at_ms in oldest.items()}


def keep_floors(conn: Connection, floors: Mapping[str, int]) -> None:
    """Remember them for the next pass."""
    rows = [{"author": author, "from_ms": from_ms} for author, from_ms in sorted(floors.items())]
    upsert(conn, floor, rows, update=["from_ms"])
