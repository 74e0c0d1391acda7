"""Making the rows of one author again, while those of all others stay: after the order of its entries changed."""

from __future__ import annotations

from sqlalchemy import Connection, delete

from shared.db.types import tables_of_kind
from shared.journal.apply import Appliers
from shared.journal.position import apply_position, lock_applying, move_to
from shared.journal.quarantine import list_places, take_out_places
from shared.journal.reading import entries_after, lives
from shared.journal.replay import apply_entries
from shared.journal.tables import applied, contested, subject_head

ENTRIES_AT_ONCE = 2_000
"""Entries held in memory while applying."""


def rebuild_author(conn: Connection, appliers: Appliers, author: str, now_ms: int) -> int:
    """Drop an author's rows and apply its own stream again from the first entry, in the caller's one transaction.

    A projected row is written by its author's facts only, so this gives the rows that a whole rebuild would.
    Returns how many facts changed rows.
    """
    lock_applying(conn)
    for table in [*tables_of_kind("projection"), applied, subject_head, contested]:
        conn.execute(delete(table).where(table.c.author == author))
    take_out_places(conn, list_places(conn, author))
    conn.execute(delete(apply_position).where(apply_position.c.stream == author))
    return sum(apply_epoch(conn, appliers, author, life.epoch, 0, now_ms) for life in lives(conn, author))


def apply_epoch(conn: Connection, appliers: Appliers, stream: str, epoch: str, after: int, now_ms: int) -> int:
    """Apply the entries of one epoch after a place; returns how many facts changed rows."""
    total, seq = 0, after
    while entries := entries_after(conn, stream, epoch, seq, ENTRIES_AT_ONCE):
        total += apply_entries(conn, appliers, entries, now_ms).applied
        seq = entries[-1].seq
    move_to(conn, stream, epoch, seq)
    return total
