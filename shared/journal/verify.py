"""Reading a whole journal and proving it: no gap, no changed byte, every place chained to the one before.

A changed byte of a fact breaks the chain at its own place; a changed hash breaks it there or at the next. Findings
name stream, epoch and sequence number. Nothing is changed here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import msgspec
from sqlalchemy import Connection, select

from shared.journal.archived import archive_folder, segments
from shared.journal.chain import GENESIS, next_hash
from shared.journal.fact import Fact, decode_envelope
from shared.journal.reading import Life, Stored, all_streams, entries_after, hash_at, lives
from shared.journal.segment_file import ArchiveDamaged, read_segment
from shared.journal.tables import head

ENTRIES_AT_ONCE = 2_000
CHANGED = "its bytes or its hash were changed"
FINDINGS_MAX = 100
"""Findings reported a stream: enough to see what happened, few enough to read."""


@dataclass(frozen=True)
class Finding:
    """One place where the journal does not hold."""

    stream: str
    epoch: str
    seq: int
    what: str

    def __str__(self) -> str:
        return f"stream {self.stream}, epoch {self.epoch}, entry {self.seq}: {self.what}"


@dataclass(frozen=True)
class Verified:
    """How much was read and what was found; an empty tuple of findings is a sound journal."""

    entries: int
    findings: tuple[Finding, ...]


def verify(conn: Connection) -> Verified:
    """Recompute every chain that is held here, written or copied."""
    findings: list[Finding] = list(_check_files(conn))
    total = 0
    for stream in all_streams(conn):
        for life in lives(conn, stream):
            found: list[Finding] = list(_check_branch(conn, life))
            for finding in _check_entries(conn, life):
                if len(found) < FINDINGS_MAX:
                    found.append(finding)
            findings += found
            total += life.seq
        findings += _check_head(conn, stream)
    return Verified(total, tuple(dict.fromkeys(findings)))


def _check_entries(conn: Connection, life: Life) -> Iterator[Finding]:
    """Entry by entry along the chain; an archive file that cannot be read is named once and its entries passed over."""
    seq, previous = 0, GENESIS
    at_once = ENTRIES_AT_ONCE
    while seq < life.seq:
        try:
            entries = entries_after(conn, life.stream, life.epoch, seq, at_once)
        except ArchiveDamaged as error:
            if at_once == 1:
                yield Finding(life.stream, life.epoch, seq + 1, error.what)
                seq = _end_of_archived(conn, life, seq + 1)
                previous = hash_at(conn, life.stream, life.epoch, seq) or GENESIS
            at_once = ENTRIES_AT_ONCE if at_once == 1 else 1
            continue
        for item in entries:
            yield from _check_entry(item, seq, previous)
            seq, previous = item.seq, item.hash


def _check_entry(item: Stored, seq: int, previous: str) -> Iterator[Finding]:
    if item.seq != seq + 1:
        yield Finding(item.stream, item.epoch, seq + 1, f"missing up to {item.seq - 1}")
    elif item.hash != next_hash(item.epoch, item.stream, item.seq, previous, item.body):
        yield Finding(item.stream, item.epoch, item.seq, CHANGED)
    yield from _check_columns(item)


def _end_of_archived(conn: Connection, life: Life, seq: int) -> int:
    """The last entry of the segments that cover this one; the entry itself where only another stream's does."""
    found = segments(conn)
    ends = [s.last for s in found if (s.stream, s.epoch) == (life.stream, life.epoch) and s.first <= seq <= s.last]
    return min(ends, default=seq)


def _check_files(conn: Connection) -> Iterator[Finding]:
    """Every listed file as it lies on the disk now, whatever is remembered of it."""
    for segment in segments(conn):
        try:
            read_segment(archive_folder(conn) / segment.file, segment.sha256, segment.holds)
        except ArchiveDamaged as error:
            yield Finding(segment.stream, segment.epoch, segment.first, error.what)


def _check_columns(item: Stored) -> Iterator[Finding]:
    """The columns beside the bytes repeat them; they are what the rest of the node reads."""
    try:
        value: Fact = decode_envelope(item.body)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return  # kept as it came; the quarantine names it
    said = (value.type, value.version, value.recorded_at_ms)
    if value.fact_id == item.fact_id and said != (item.type, item.version, item.recorded_at_ms):
        yield Finding(item.stream, item.epoch, item.seq, "its columns differ from its bytes")


def _check_branch(conn: Connection, life: Life) -> Iterator[Finding]:
    if life.parent is None:
        return
    epoch, seq, digest = life.parent
    if hash_at(conn, life.stream, epoch, seq) != digest:
        yield Finding(
            life.stream, life.epoch, 0, f"grew from entry {seq} of epoch {epoch}, which has another hash here"
        )


def _check_head(conn: Connection, stream: str) -> Iterator[Finding]:
    row = conn.execute(select(head).where(head.c.stream == stream)).first()
    if row is None:
        return
    last = {life.epoch: (life.seq, life.hash) for life in lives(conn, stream)}.get(row.epoch)
    if last != (row.seq, row.hash):
        yield Finding(stream, row.epoch, row.seq, f"the head row does not name the last entry, which is {last}")
