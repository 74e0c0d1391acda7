"""Which entries are damaged here and wanted again, and of whom: their author, or the readers that hold the same facts."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, delete, exists, select

from shared.db.upsert import upsert
from shared.journal.tables import entry
from sync.compare_messages import DAMAGED_MAX, Place
from sync.peers import list_peers
from sync.tables import damage

At = tuple[str, str, int]
"""(stream, epoch, place)."""


def want(conn: Connection, places: Iterable[At], now_ms: int) -> None:
    """Remember what to ask for."""
    rows = [{"stream": stream, "epoch": epoch, "seq": seq, "found_ms": now_ms} for stream, epoch, seq in places]
    upsert(conn, damage, rows)


def wanted(conn: Connection, stream: str) -> tuple[Place, ...]:
    """What is wanted again of a stream, the first of it."""
    query = select(damage.c.epoch, damage.c.seq).where(damage.c.stream == stream)
    rows = conn.execute(query.order_by(damage.c.epoch, damage.c.seq).limit(DAMAGED_MAX))
    return tuple(Place(row.epoch, row.seq) for row in rows)


def want_no_more(conn: Connection, fact_id: str) -> None:
    """A fact is sound again: it is wanted of nobody."""
    e, d = entry.c, damage.c
    here = exists().where(e.stream == d.stream, e.epoch == d.epoch, e.seq == d.seq, e.fact_id == fact_id)
    conn.execute(delete(damage).where(here))


def places_at_readers(conn: Connection, code: str, fact_id: str) -> list[At]:
    """Where a fact stands in this node's streams to its peers: they hold the same bytes."""
    streams = [f"{code}>{peer.code}" for peer in list_peers(conn)]
    query = select(entry.c.stream, entry.c.epoch, entry.c.seq).where(entry.c.fact_id == fact_id)
    return [(row.stream, row.epoch, row.seq) for row in conn.execute(query.where(entry.c.stream.in_(streams)))]
