"""Durable before acknowledged: one writing thread commits whatever is queued, together, and tells each when it is safe.

The thread owns all writing of the collector to the spool. What is queued while a commit runs goes into the next one,
so a burst costs few commits and a single message waits for nobody. A failed commit (disk full) fails everyone in it:
nothing is acknowledged and the peers send again.
"""

from __future__ import annotations

import hashlib
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, TypeVar

import msgspec
from sqlalchemy import Connection, Engine, func, insert, select
from sqlalchemy.exc import SQLAlchemyError

from local_mes.level2.spool_tables import identity, message, spool_metadata
from shared.clock import Clock
from shared.db.engine import read, write
from shared.errors import Unavailable
from shared.ids import random_key

T = TypeVar("T")

REPEAT_WINDOW = 5_000
"""Messages of a link in which a repeat is recognised: half the sequence range, hours of the busiest link."""
BATCH_MAX = 500
"""Messages in one commit: bounds how long the first of them waits."""


@dataclass(frozen=True)
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

    @property
    def digest(self) -> str:
        """What makes two messages with one sequence the same: name, claimed time and body (not flags)."""
        text = b"\x1f".join((self.message.encode(), self.claimed.encode(), self.body))
        return hashlib.sha256(text).hexdigest()[:32]


@dataclass(frozen=True)
class Stored:
    """Where a message lies; repeated when it lay there before."""

    spool_id: int
    repeated: bool


def create_spool(engine: Engine, clock: Clock) -> str:
    """Make the spool's tables and key where there are none; returns the key."""
    spool_metadata.create_all(engine)
    with write(engine) as conn:
        key = conn.execute(select(identity.c.key)).scalar()
        if key is None:
            key = random_key()
            conn.execute(insert(identity).values(key=key, made_ms=clock.now_ms()))
    return key


def get_key(engine: Engine) -> str:
    """The spool's own key: ids of facts derive from it, so a spool that begins anew repeats none."""
    with read(engine) as conn:
        key: str = conn.execute(select(identity.c.key)).scalar_one()
    return key


def append(conn: Connection, incoming: Incoming) -> Stored:
    """Store a message, or find that it is stored."""
    digest = incoming.digest
    last = conn.execute(select(func.max(message.c.ordinal)).where(message.c.link == incoming.link)).scalar() or 0
    known = conn.execute(
        select(message.c.spool_id).where(
            message.c.link == incoming.link,
            message.c.sequence == incoming.sequence,
            message.c.digest == digest,
            message.c.ordinal > last - REPEAT_WINDOW,
        )
    ).scalar()
    if known is not None:
        return Stored(known, repeated=True)
    spool_id: int = conn.execute(
        insert(message)
        .returning(message.c.spool_id)
        .values(
            link=incoming.link,
            ordinal=last + 1,
            message=incoming.message,
            sequence=incoming.sequence,
            digest=digest,
            claimed=incoming.claimed[:64],
            claimed_ms=incoming.claimed_ms,
            received_ms=incoming.received_ms,
            offset_ms=incoming.offset_ms,
            zone_offset_min=incoming.zone_offset_min,
            raw=incoming.raw,
            fields=msgspec.json.encode(incoming.fields).decode(),
            problem=incoming.problem,
        )
    ).scalar_one()
    return Stored(spool_id, repeated=False)


_Job = tuple[Callable[[Connection], Any], "Future[Any]"]


class SpoolWriter:
    """The writing thread. Futures are set after the commit, never before."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="spool-writer", daemon=True)
        self._thread.start()

    def append(self, incoming: Incoming) -> Future[Stored]:
        """Queue a message; the result comes when it is on disk."""
        return self.submit(lambda conn: append(conn, incoming))

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
            with write(self._engine) as conn:
                results = [job(conn) for job, _ in batch]
        except (SQLAlchemyError, Unavailable, OSError, ValueError, TypeError) as error:
            for _, done in batch:
                done.set_exception(error)
            return
        for (_, done), result in zip(batch, results, strict=True):
            done.set_result(result)
