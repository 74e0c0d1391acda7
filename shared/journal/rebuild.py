"""Making all rows again from the journal, and trying again what was set aside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, delete, select

from shared.clock import Clock
from shared.db.engine import read, write
from shared.db.types import tables_of_kind
from shared.journal.apply import Appliers
from shared.journal.discard import find_discarded
from shared.journal.position import apply_position, lock_applying, move_to
from shared.journal.quarantine import Place, count_by_state, list_places, quarantine, take_out, take_out_places
from shared.journal.reading import Stored, all_streams, entries_after, entries_at, lives, own_streams
from shared.journal.replay import apply_entries
from shared.journal.tables import applied, contested, subject_head

ENTRIES_AT_ONCE = 2_000
"""Entries held in memory while applying."""

RETRIED_AT_ONCE = 500
"""Entries tried again in one transaction of their own: bounds how long others wait for the writer."""


REBUILD_CACHE_KIB = 65_536
"""SQLite's pages in memory while all rows are made again. With the 2 MiB it has otherwise a million facts write each page
of their indexes to the log several times over."""


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
    lock_applying(conn)
    kept = _use_cache(conn, -REBUILD_CACHE_KIB)
    for table in [*tables_of_kind("projection"), applied, subject_head, contested, apply_position]:
        conn.execute(delete(table))
    take_out(conn)
    total = sum(_apply_stream(conn, appliers, stream, now_ms) for stream in _streams(conn))
    total += sum(redrive(conn, appliers, now_ms, author).applied for author in _given_up(conn))
    _use_cache(conn, kept)
    return _result(conn, total)


def _use_cache(conn: Connection, size: int) -> int:
    """Give the connection a page cache of this size (below zero: KiB) on SQLite; returns the size it had."""
    if conn.dialect.name != "sqlite":
        return 0
    before = int(conn.exec_driver_sql("PRAGMA cache_size").scalar_one())
    conn.exec_driver_sql(f"PRAGMA cache_size = {size}")
    return before


def redrive(conn: Connection, appliers: Appliers, now_ms: int, author: str | None = None) -> Rebuilt:
    """Try again, in order, what is set aside (of one author, or of all), in the caller's one transaction."""
    lock_applying(conn)
    places, blocked = in_order(conn, list_places(conn, author)), set[tuple[str, str]]()
    total = sum(_retry(conn, appliers, part, now_ms, blocked) for part in _parts(places, ENTRIES_AT_ONCE))
    return _result(conn, total, author)


def redrive_in_steps(engine: Engine, appliers: Appliers, clock: Clock, author: str | None = None) -> Rebuilt:
    """The same after a fix or an upgrade, some entries a transaction: the node's other work goes on in between.

    Ended half-way it leaves what it did not reach set aside as before; run again, it does the rest.
    """
    with read(engine) as conn:
        places = in_order(conn, list_places(conn, author))
    total, blocked = 0, set[tuple[str, str]]()
    for part in _parts(places, RETRIED_AT_ONCE):
        with write(engine) as conn:
            lock_applying(conn)
            total += _retry(conn, appliers, part, clock.now_ms(), blocked)
    with read(engine) as conn:
        return _result(conn, total, author)


def in_order(conn: Connection, places: Sequence[Place]) -> list[Place]:
    """In the order of applying: streams as in a rebuild, epochs by their ordinal, then entries."""
    order = {
        (life.stream, life.epoch): (at, life.ordinal)
        for at, stream in enumerate(_streams(conn))
        for life in lives(conn, stream)
    }
    return sorted(places, key=lambda place: (*order[place[0], place[1]], place[2]))


def _retry(
    conn: Connection, appliers: Appliers, places: Sequence[Place], now_ms: int, blocked: set[tuple[str, str]]
) -> int:
    """One part of a new try; blocked collects what the parts before it left blocked."""
    since = take_out_places(conn, places)
    entries: list[Stored] = []
    for stream, epoch in dict.fromkeys(place[:2] for place in places):
        seqs = [seq for s, e, seq in places if (s, e) == (stream, epoch) and (s, e, seq) in since]
        entries += entries_at(conn, stream, epoch, seqs)
    return apply_entries(conn, appliers, entries, now_ms, blocked=blocked, since=since).applied


def _parts(places: Sequence[Place], size: int) -> list[Sequence[Place]]:
    return [places[at : at + size] for at in range(0, len(places), size)]


def _streams(conn: Connection) -> list[str]:
    """Streams to apply: our own first, because it says what we gave up of others; ways down that we write ourselves
    only repeat what stands in their authors' streams."""
    mine = own_streams(conn)
    others = [stream for stream in all_streams(conn) if stream not in mine]
    return [*(stream for stream in mine if ">" not in stream), *others]


def _given_up(conn: Connection) -> list[str]:
    """Authors of which something lies set aside that we gave up later in our own stream: what it held is free."""
    c = quarantine.c
    rows = [(row.author, row.fact_id) for row in conn.execute(select(c.author, c.fact_id))]
    gone = find_discarded(conn, {author for author, _ in rows})
    return sorted({author for author, fact_id in rows if (author, fact_id) in gone})


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
