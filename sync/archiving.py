"""Which of the journal's entries may go to the archive: those that every reader is past.

Of a stream written here: what its readers hold durably, and nothing while it has no reader. Of a copy: what is applied.
A reader that is restored later and asks again is served from the archive.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from shared.db.engine import read
from shared.disk import check_extras
from shared.journal.archive import Bounds, archive_next, finish
from shared.journal.position import applied_to
from shared.journal.reading import all_streams, lives, own_streams
from shared.node import Node
from sync.lease import Lease
from sync.waiting import held_to

DAY_MS = 86_400_000

ARCHIVE_LEASE_S = 120.0
"""Longer than one segment takes on a slow disk; renewed before each."""


@dataclass(frozen=True)
class Archived:
    """What one run put away."""

    segments: int = 0
    facts: int = 0
    raw_bytes: int = 0

    def __str__(self) -> str:
        if not self.segments:
            return "Nothing is both old enough and read by all: the archive is as it was."
        return f"{self.facts} facts ({self.raw_bytes} bytes) went to the archive in {self.segments} segment(s)."


def archive(node: Node, older_than_days: int) -> Archived:
    """Put away every full segment whose facts are older. One process at a time; others put away nothing."""
    check_extras(node.settings.folder)
    lease = Lease(node.engine, "archive", ARCHIVE_LEASE_S)
    folder = node.settings.archive_folder
    done = Archived()
    if not lease.held():
        return done
    try:
        finish(node.engine, folder)
        now = node.clock.now_ms()
        for bounds in _bounds(node, now - older_than_days * DAY_MS):
            while lease.held() and (made := archive_next(node.engine, folder, bounds, now)) is not None:
                done = Archived(done.segments + 1, done.facts + made.facts, done.raw_bytes + made.raw_bytes)
    finally:
        lease.give_up()
    return done


def _bounds(node: Node, older_than_ms: int) -> list[Bounds]:
    with read(node.engine) as conn:
        own = set(own_streams(conn))
        return [
            Bounds(stream, life.epoch, _read_by_all(conn, stream, life.epoch, stream in own), older_than_ms)
            for stream in all_streams(conn)
            for life in lives(conn, stream)
        ]


def _read_by_all(conn: Connection, stream: str, epoch: str, own: bool) -> int:
    """The last entry of an epoch that every reader is past."""
    if not own:
        return applied_to(conn, stream, epoch)
    return held_to(conn, stream, epoch)
