"""Giving up the end of a branch: its entries move, with their bytes, to a table of their own and leave the stream.

Nothing is erased. The database lets an entry go only when it stands there under the same hash (tables.py).
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, delete

from shared.db.upsert import upsert
from shared.journal.reading import Stored, entries_after
from shared.journal.tables import entry, entry_abandoned

ENTRIES_AT_ONCE = 2_000

Fates = Mapping[str, str]
"""Fact id -> what becomes of it other than being carried: known | contradicted."""

CARRIED = "carried"


def abandon(conn: Connection, stream: str, epoch: str, keep: int, fates: Fates, now_ms: int) -> list[Stored]:
    """Move entries after `keep` aside; returns those whose facts need a new place, in order."""
    carried: list[Stored] = []
    seq = keep
    while found := entries_after(conn, stream, epoch, seq, ENTRIES_AT_ONCE):
        # the same branch may have been given up before and come back from a peer that was restored: its row stays
        upsert(conn, entry_abandoned, [_row(item, fates.get(item.fact_id, CARRIED), now_ms) for item in found])
        carried += [item for item in found if item.fact_id not in fates]
        seq = found[-1].seq
    conn.execute(delete(entry).where(entry.c.stream == stream, entry.c.epoch == epoch, entry.c.seq > keep))
    return carried


def _row(item: Stored, fate: str, now_ms: int) -> dict[str, object]:
    return {
        "stream": item.stream,
        "epoch": item.epoch,
        "seq": item.seq,
        "hash": item.hash,
        "fact_id": item.fact_id,
        "body": item.body,
        "fate": fate,
        "at_ms": now_ms,
    }
