"""Durable before acknowledged: one writing thread commits whatever is queued, together, and tells each when it is safe.

The thread owns all writing of the collector to the spool. What is queued while a commit runs goes into the next one,
so a burst costs few commits and a single message waits for nobody. A failed commit (disk full) fails everyone in it:
nothing is acknowledged and the peers send again.
"""

from __future__ import annotations

import hashlib
import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, TypeVar

import msgspec
from sqlalchemy import Connection, Engine, insert, select
from sqlalchemy.exc import SQLAlchemyError

from local_mes.level2.spool_tables import LETS_GO, identity, spool_metadata
from shared.clock import Clock
from shared.db.append_only import drop_statements, statements
from shared.db.engine import KeptWriter, read, write
from shared.errors import Unavailable
from shared.ids import random_key

T = TypeVar("T")

REPEAT_WINDOW = 5_000
"""Messages of a link in which a repeat is recognised: half the sequence range, hours of the busiest link."""
BATCH_MAX = 500
"""Messages in one commit: bounds how long the first of them waits."""


@dataclass(slots=True)
class Incoming:
    """A message as it came, to be spooled."""

    link: str
    message: str
    sequence: int
    claimed: str
    claimed_ms: int | None
    received_ms: int
    offset_ms: int
    zone_offset_min: int
    raw: bytes
    body: bytes
    fields: dict[str, Any] = field(default_factory=dict)
    problem: str = ""
    always_new: bool = False
    """It carries neither number nor time: nothing could tell a repeat from another of the same."""

    @property
    def digest(self) -> str:
        """What makes two messages with one sequence the same: name, claimed time and body (not flags)."""
        text = b"\x1f".join((self.message.encode(), self.claimed.encode(), self.body))
        return hashlib.sha256(text).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Stored:
    """Where a message lies; repeated when it lay there before."""

    spool_id: int
    repeated: bool


def create_spool(engine: Engine, clock: Clock) -> str:
    """Make the spool's tables and key where there are none; returns the key."""
    spool_metadata.create_all(engine)
    with write(engine) as conn:
        _upgrade(conn)
        key = conn.execute(select(identity.c.key)).scalar()
        if key is None:
            key = random_key()
            conn.execute(insert(identity).values(key=key, made_ms=clock.now_ms()))
    return key


def _upgrade(conn: Connection) -> None:
    """A spool of an older release gets the guard of today, which lets messages go, and what orders have since."""
    columns = conn.exec_driver_sql("SELECT name FROM pragma_table_info('down')").scalars().all()
    if "queued_real_ms" not in columns:
        conn.exec_driver_sql("ALTER TABLE down ADD COLUMN queued_real_ms INTEGER")
    found = conn.exec_driver_sql("SELECT sql FROM sqlite_master WHERE name = 'message_no_delete'").scalar()
    if LETS_GO in str(found):
        return
    for statement in (*drop_statements("message", "sqlite"), *statements("message", "sqlite", lets_go=LETS_GO)):
        conn.exec_driver_sql(statement)


def get_key(engine: Engine) -> str:
    """The spool's own key: ids of facts derive from it, so a spool that begins anew repeats none."""
    with read(engine) as conn:
        key: str = conn.execute(select(identity.c.key)).scalar_one()
    return key


def append(conn: Connection, incoming: Incoming) -> Stored:
    """Store a message, or find that it is stored."""
    return append_all(conn, [incoming])[0]


def append_all(conn: Connection, batch: Sequence[Incoming]) -> list[Stored]:
    """Store messages of one link in their order, each unless it is stored. Two statements for all of them."""
    last, newest, known = _find_known(conn, batch[0].link, batch)
    stored, rows = [], []
    for incoming in batch:
        if incoming.always_new:
            incoming = replace(incoming, sequence=last + 1)
        name = (incoming.sequence, incoming.digest)
        at = None if incoming.always_new else known.get(name)
        if at is None:
            newest, last = newest + 1, last + 1
            known[name] = newest
            rows.append(_row(incoming, newest, last, name[1]))
        stored.append(Stored(at or newest, repeated=at is not None))
    if rows:
        conn.exec_driver_sql(_INSERT, rows)
    return stored


def _find_known(conn: Connection, link: str, batch: Sequence[Incoming]) -> tuple[int, int, dict[tuple[int, str], int]]:
    """The link's newest ordinal, the spool's newest id, and which of the batch are stored already."""
    sequences = msgspec.json.encode([incoming.sequence for incoming in batch]).decode()
    (last, newest, _), *rows = conn.exec_driver_sql(_FIND_KNOWN, (link, link, sequences, REPEAT_WINDOW))
    return last or 0, newest or 0, {(sequence, digest): spool_id for sequence, digest, spool_id in rows}


# the hottest statements of the collector: the driver keeps them prepared. The plus keeps SQLite from going through the
# whole window by its ordinals: each sequence is looked up
_FIND_KNOWN = """
WITH link_end AS (SELECT max(ordinal) AS last FROM message WHERE link = ?)
SELECT last, (SELECT seq FROM sqlite_sequence WHERE name = 'message'), 0 FROM link_end
UNION ALL
SELECT m.sequence, m.digest, m.spool_id FROM link_end CROSS JOIN message AS m
WHERE m.link = ? AND m.sequence IN (SELECT value FROM json_each(?)) AND +m.ordinal > last - ?
"""
_INSERT = """
INSERT INTO message (spool_id, link, ordinal, message, sequence, digest, claimed, claimed_ms, received_ms, offset_ms,
                     zone_offset_min, raw, fields, problem)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""


def _row(incoming: Incoming, spool_id: int, ordinal: int, digest: str) -> tuple[Any, ...]:
    return (
        spool_id,
        incoming.link,
        ordinal,
        incoming.message,
        incoming.sequence,
        digest,
        incoming.claimed[:64],
        incoming.claimed_ms,
        incoming.received_ms,
        incoming.offset_ms,
        incoming.zone_offset_min,
        incoming.raw,
        msgspec.json.encode(incoming.fields).decode(),
        incoming.problem,
    )


_Job = tuple[Callable[[Connection], Any], "Future[Any]"]


class SpoolWriter:
    """The writing thread. Futures are set after the commit, never before."""

    def __init__(self, engine: Engine) -> None:
        self._kept = KeptWriter(engine)
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="spool-writer", daemon=True)
        self._thread.start()

    def append(self, incoming: Incoming) -> Future[Stored]:
        """Queue a message; the result comes when it is on disk."""
        return self.submit(partial(append, incoming=incoming))

    def append_all(self, batch: Sequence[Incoming]) -> Future[list[Stored]]:
        """Queue messages of one link that came together; they are in one commit."""
        return self.submit(partial(append_all, batch=batch))

    def submit(self, job: Callable[[Connection], T]) -> Future[T]:
        """Queue any other write to the spool, in order with the messages."""
        done: Future[T] = Future()
        self._jobs.put((job, done))
        return done

    def close(self) -> None:
        """Commit what is queued and stop."""
        self._jobs.put(None)
        self._thread.join()

    def _run(self) -> None:
        while True:
            batch, more = self._take()
            if batch:
                self._commit(batch)
            if not more:
                self._kept.close()
                return

    def _take(self) -> tuple[list[_Job], bool]:
        batch: list[_Job] = []
        job = self._jobs.get()
        while job is not None:
            batch.append(job)
            if len(batch) == BATCH_MAX or self._jobs.empty():
                return batch, True
            job = self._jobs.get()
        return batch, False

    def _commit(self, batch: list[_Job]) -> None:
        # from here on a caller can no longer withdraw; one that did (its connection ended) has nothing written
        batch = [(job, done) for job, done in batch if done.set_running_or_notify_cancel()]
        try:
            with self._kept.write() as conn:
                results = [job(conn) for job, _ in batch]
        except (SQLAlchemyError, Unavailable, OSError, ValueError, TypeError) as error:
            for _, done in batch:
                done.set_exception(error)
            return
        for (_, done), result in zip(batch, results, strict=True):
            done.set_result(result)
