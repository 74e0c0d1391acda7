"""Up to when each plant's facts are in the hub's rows: absence may be judged only behind these (transfers.md, 3)."""

from __future__ import annotations

from sqlalchemy import Connection, func, select

from shared.journal.position import applied_to
from shared.journal.quarantine import quarantine
from shared.journal.reading import lives
from shared.journal.tables import entry, fact
from shared.transfers.facts import TYPES
from sync.link import complete_through
from sync.peers import list_peers


def watermarks(conn: Connection) -> dict[str, int]:
    """Plant -> ms: every fact the plant recorded at or before it is applied here; 0 before its first word."""
    return {peer.code: _applied_through(conn, peer.code) for peer in list_peers(conn)}


def _applied_through(conn: Connection, plant: str) -> int:
    told = complete_through(conn, plant) or 0
    return max(0, min([told, *_gaps(conn, plant)]))


def _gaps(conn: Connection, plant: str) -> list[int]:
    """Received is not applied: just before the first fact of the plant that is not in the rows yet."""
    gaps = []
    for life in lives(conn, plant):
        done = applied_to(conn, plant, life.epoch)
        if done < life.seq:
            query = (
                select(fact.c.recorded_at_ms)
                .join_from(entry, fact, entry.c.fact_id == fact.c.fact_id)
                .where(entry.c.stream == plant, entry.c.epoch == life.epoch, entry.c.seq == done + 1)
            )
            gaps.append(conn.execute(query).scalar_one() - 1)
    unread = (
        select(func.min(fact.c.recorded_at_ms))
        .join_from(quarantine, fact, quarantine.c.fact_id == fact.c.fact_id)
        .where(quarantine.c.author == plant, quarantine.c.type.in_(TYPES))
    )
    oldest = conn.execute(unread).scalar()
    return gaps if oldest is None else [*gaps, oldest - 1]
