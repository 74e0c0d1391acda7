"""Moving the bytes of old facts from the database to files, so that the database stays small and nothing is deleted.

A segment is a closed run of one epoch's entries: SEGMENT_ENTRIES of them, or fewer when SEGMENT_BYTES come first.

1. its facts are read and proved against the chain: a damaged one is never put away as if it were sound
2. their bytes are packed into a file, which is written durably and read back
3. the file is listed in `archive_segment`
4. the rows of the facts, some at a time, give up their bytes and name the segment; the database's own guard lets only
   this happen, and only for a fact whose entry a listed segment covers

A crash before 3 leaves a file that nobody names; the next run makes the same file again. After 3 the bytes are in both
places until 4 is finished, which the next run sees to. An older database restored beside newer files simply has the
bytes itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Connection, Engine, bindparam, func, select, update

from shared.db.engine import read, write
from shared.errors import Refused
from shared.journal.archived import Segment, list_segment, segments
from shared.journal.chain import next_hash
from shared.journal.reading import Stored, entries_after, hash_at
from shared.journal.segment_file import (
    SEGMENT_BYTES,
    SEGMENT_ENTRIES,
    digest,
    frame,
    pack,
    read_segment,
    write_segment,
)
from shared.journal.tables import archive_segment, entry, fact

ENTRIES_AT_ONCE = 2_000
ROWS_AT_ONCE = 500
"""Rows that give up their bytes in one transaction: recording waits a few milliseconds for it, not seconds."""


@dataclass(frozen=True)
class Bounds:
    """What of one epoch may go: entries up to `last` (all readers are past them) whose facts are older than a time.

    entries, bytes  when a segment is full
    """

    stream: str
    epoch: str
    last: int
    older_than_ms: int
    entries: int = SEGMENT_ENTRIES
    bytes: int = SEGMENT_BYTES


@dataclass
class _Run:
    """Entries collected for one segment."""

    first: int
    entries: list[Stored] = field(default_factory=list)
    bytes: int = 0

    @property
    def last(self) -> int:
        return self.first + len(self.entries) - 1


def archive_next(engine: Engine, folder: Path, bounds: Bounds, now_ms: int) -> Segment | None:
    """Put the next full segment away; None when none is full and old enough. Refused for a damaged entry."""
    with read(engine) as conn:
        run = _collect(conn, bounds)
        if run is None:
            return None
        held = _bytes_in_rows(conn, bounds, run)
        number = conn.execute(select(func.coalesce(func.max(archive_segment.c.segment), 0))).scalar_one() + 1
    title = f"{bounds.stream.replace('>', '_to_')}-{bounds.epoch[:8]}-{run.first}-{run.last}"
    framed = frame(held)
    name, sha256 = write_segment(folder, title, pack(framed))
    raw = sum(len(body) for _, body in held)
    place = (number, bounds.stream, bounds.epoch, run.first, run.last)
    made = Segment(*place, len(held), name, sha256, raw, verified_at_ms=now_ms, holds=digest(framed))
    with write(engine) as conn:
        list_segment(conn, made)
    empty_rows(engine, folder, made)
    return made


def put_beside(engine: Engine, folder: Path, item: Stored, body: bytes, now_ms: int) -> None:
    """Put one entry's right bytes into a file of their own, in place of what a bad disk made of them in its row."""
    title = f"{item.stream.replace('>', '_to_')}-{item.epoch[:8]}-{item.seq}-{item.seq}"
    framed = frame([(item.fact_id, body)])
    name, sha256 = write_segment(folder, title, pack(framed))
    with write(engine) as conn:
        number = conn.execute(select(func.coalesce(func.max(archive_segment.c.segment), 0))).scalar_one() + 1
        place = (number, item.stream, item.epoch, item.seq, item.seq)
        made = Segment(*place, 1, name, sha256, len(body), now_ms, digest(framed))
        list_segment(conn, made)
    empty_rows(engine, folder, made)


def finish(engine: Engine, folder: Path) -> int:
    """Empty what a crash left in both places; returns how many rows that were."""
    with read(engine) as conn:
        listed = [segment for segment in segments(conn) if _rows_to_empty(conn, segment, 1)]
    return sum(empty_rows(engine, folder, segment) for segment in listed)


def empty_rows(engine: Engine, folder: Path, segment: Segment) -> int:
    """Let the rows of a listed segment's facts give up their bytes, after one more look at the file."""
    held = read_segment(folder / segment.file, segment.sha256, segment.holds)
    total = 0
    while True:
        with write(engine) as conn:
            ids = [i for i in _rows_to_empty(conn, segment, ROWS_AT_ONCE) if i in held]
            if not ids:
                return total
            statement = update(fact).where(fact.c.fact_id == bindparam("id"), fact.c.archived_in.is_(None))
            conn.execute(statement.values(body=b"", archived_in=segment.segment), [{"id": i} for i in ids])
        total += len(ids)


def _collect(conn: Connection, bounds: Bounds) -> _Run | None:
    """Entries of the next segment, each proved; None unless they fill one."""
    run = _Run(_after_listed(conn, bounds) + 1)
    previous = hash_at(conn, bounds.stream, bounds.epoch, run.first - 1)
    while True:
        found = entries_after(conn, bounds.stream, bounds.epoch, run.last, ENTRIES_AT_ONCE)
        if not found:
            return None
        for item in found:
            if item.seq > bounds.last or item.recorded_at_ms >= bounds.older_than_ms:
                return None
            if previous is None or item.hash != next_hash(item.epoch, item.stream, item.seq, previous, item.body):
                raise _damaged(item)
            run.entries.append(item)
            run.bytes += len(item.body)
            previous = item.hash
            if len(run.entries) >= bounds.entries or run.bytes >= bounds.bytes:
                return run


def _after_listed(conn: Connection, bounds: Bounds) -> int:
    """The last entry of the unbroken row of segments that begins with the first entry."""
    last = 0
    for segment in segments(conn):
        if (segment.stream, segment.epoch) == (bounds.stream, bounds.epoch) and segment.first <= last + 1:
            last = max(last, segment.last)
    return last


def _bytes_in_rows(conn: Connection, bounds: Bounds, run: _Run) -> list[tuple[str, bytes]]:
    """Facts whose bytes are still in their rows: one that is also in another stream may have gone with that one."""
    in_rows = set(_ids(conn, bounds.stream, bounds.epoch, run.first, run.last, len(run.entries)))
    return [(item.fact_id, item.body) for item in run.entries if item.fact_id in in_rows]


def _rows_to_empty(conn: Connection, segment: Segment, limit: int) -> Sequence[str]:
    return _ids(conn, segment.stream, segment.epoch, segment.first, segment.last, limit)


def _ids(conn: Connection, stream: str, epoch: str, first: int, last: int, limit: int) -> Sequence[str]:
    query = (
        select(entry.c.fact_id)
        .join_from(entry, fact, entry.c.fact_id == fact.c.fact_id)
        .where(entry.c.stream == stream, entry.c.epoch == epoch, entry.c.seq.between(first, last))
        .where(fact.c.archived_in.is_(None))
        .order_by(entry.c.seq)
        .limit(limit)
    )
    return conn.execute(query).scalars().all()


def _damaged(item: Stored) -> Refused:
    return Refused(
        "archive.damaged_entry",
        f"Entry {item.seq} of epoch {item.epoch} of {item.stream} does not fit its chain; it is not archived.",
        kept="Its bytes stay in the database as they are, and so does everything after it.",
        todo="Run `journal verify` and see which side has the right bytes.",
    )
