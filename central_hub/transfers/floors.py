"""From when on an author's lines and receipts may still be unjudged, so that a look does not begin ten years ago."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sqlalchemy import ColumnElement, Connection, Table, and_, bindparam, func, select

from central_hub.transfers.tables import floor
from shared.db.prepared import Prepared, Rows
from shared.db.upsert import upsert
from shared.transfers.tables import receipt
from sync.tables import peer

DAY_MS = 86_400_000
SLACK_MS = 30 * DAY_MS
"""Kept below the watermark: what a plant sends later was recorded later; a month more costs little and forgives much."""


def read_floors(conn: Connection) -> dict[str, int]:
    """Author -> ms of recording; an author without one is read from the beginning."""
    return {row.author: row.from_ms for row in conn.execute(select(floor))}


SPANS = Prepared(
    lambda _database: (
        select(peer.c.peer, func.coalesce(floor.c.from_ms, 0))
        .join_from(peer, floor, floor.c.author == peer.c.peer, isouter=True)
        .order_by(peer.c.peer)
    )
)


def in_open_spans(conn: Connection, statement: Prepared, **values: str) -> Rows:
    """The rows above each plant's floor, of a statement that says recent(): the looks that are taken again and again.

    A look at each plant by itself finds its rows by the index, one over all reads all.
    """
    spans = SPANS.rows(conn)
    return [row for author, from_ms in spans for row in statement.rows(conn, author=author, from_ms=from_ms, **values)]


def recent(table: Table) -> ColumnElement[bool]:
    """The condition that a row is one of a span's; its author and from_ms are given by in_open_spans."""
    return and_(table.c.author == bindparam("author"), table.c.recorded_at_ms >= bindparam("from_ms"))


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
