"""Up to when each plant's facts are in the hub's rows: absence may be judged only behind these (transfers.md, 3)."""

from __future__ import annotations

from sqlalchemy import Connection, func, select

from shared.journal.quarantine import quarantine
from shared.journal.tables import fact
from shared.transfers.facts import TYPES
from sync.peers import ACTIVE, list_peers
from sync.tables import session
from sync.through import applied_through


def watermarks(conn: Connection) -> dict[str, int]:
    """Plant -> ms: every fact the plant recorded at or before it is applied here; 0 before its first word.

    Unlike a figure's mark, this one stops before a fact about transfers that is set aside: it may be the missing one.
    """
    through, unread = applied_through(conn), _oldest_unread(conn)
    return {
        peer.code: max(0, min(through.get(peer.code, 0), unread.get(peer.code, through.get(peer.code, 0))))
        for peer in list_peers(conn)
    }


def speaking(conn: Connection) -> list[str]:
    """Plants that may speak to the hub: of any other there is no word to wait for."""
    return [peer.code for peer in list_peers(conn) if peer.state == ACTIVE]


def clock_offsets(conn: Connection) -> dict[str, int]:
    """Plant -> its clock minus the hub's, ms, as last measured."""
    return {row.peer: int(row.offset_ms) for row in conn.execute(select(session.c.peer, session.c.offset_ms))}


def _oldest_unread(conn: Connection) -> dict[str, int]:
    query = (
        select(quarantine.c.author, func.min(fact.c.recorded_at_ms))
        .join_from(quarantine, fact, quarantine.c.fact_id == fact.c.fact_id)
        .where(quarantine.c.type.in_(TYPES))
        .group_by(quarantine.c.author)
    )
    return {row[0]: int(row[1]) - 1 for row in conn.execute(query)}
