"""Making all rows again from the journal, and trying again what was set aside."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, delete

from shared.db.types import tables_of_kind
from shared.journal.apply import Appliers
from shared.journal.position import apply_position, move_to
from shared.journal.quarantine import count_by_state, take_out
from shared.journal.reading import Stored, all_streams, entries_after, entry_at, lives
from shared.journal.replay import apply_entries
from shared.journal.tables import applied, subject_head

ENTRIES_AT_ONCE = 2_000
"""Entries held in memory while applying."""


@dataclass(frozen=True)
class Rebuilt:
    """What a rebuild or a new try came to."""

    applied: int
    quarantined: int
    parked: int
    held: int


def rebuild(conn: Connection, appliers: Appliers, now_ms: int) -> Rebuilt:
    """Drop every projected row and apply every entry again, in the caller's one transaction.

    Other writers wait meanwhile; readers on SQLite and PostgreSQL see the old rows until it is done.
    """
    for table in [*tables_of_kind("projection"), applied, subject_head, apply_position]:
        conn.execute(delete(table))
    take_out(conn)
    total = sum(_apply_stream(conn, appliers, stream, now_ms) for stream in all_streams(conn))
    return _result(conn, total)


def redrive(conn: Connection, appliers: Appliers, now_ms: int, author: str | None = None) -> Rebuilt:
    """Try again, in order, what is set aside (of one author, or of all): after a fix or an upgrade."""
    order = {(life.stream, life.epoch): life.ordinal for stream in all_streams(conn) for life in lives(conn, stream)}
    places = sorted(take_out(conn, author), key=lambda place: (place[0], order[place[0], place[1]], place[2]))
    found = [entry_at(conn, *place) for place in places]
    entries: list[Stored] = [item for item in found if item is not None]
    total = sum(
        apply_entries(conn, appliers, entries[at : at + ENTRIES_AT_ONCE], now_ms).applied
        for at in range(0, len(entries), ENTRIES_AT_ONCE)
    )
    return _result(conn, total, author)


def _apply_stream(conn: Connection, appliers: Appliers, stream: str, now_ms: int) -> int:
    total = 0
    for life in lives(conn, stream):
        seq = 0
        while entries := entries_after(conn, stream, life.epoch, seq, ENTRIES_AT_ONCE):
            total += apply_entries(conn, appliers, entries, now_ms).applied
            seq = entries[-1].seq
        move_to(conn, stream, life.epoch, seq)
    return total


def _result(conn: Connection, total: int, author: str | None = None) -> Rebuilt:
    counts = count_by_state(conn, author)
    return Rebuilt(total, counts["quarantined"], counts["parked"], counts["held"])
