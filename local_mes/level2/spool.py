"""Durable before acknowledged: one writing thread commits whatever is queued, together, and tells each when it is safe.

The thread owns all writing of the collector to the spool. What is queued while a commit runs goes into the next one,
so a burst costs few commits and a single message waits for nobody. A failed commit (disk full) fails everyone in it:
nothing is acknowledged and the peers send again.
"""

from __future__ import annotations

import hashlib
import queue
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from functools import lru_cache, partial
from itertools import chain
from typing import Any, TypeVar

import msgspec
from msgspec import Struct, field
from sqlalchemy import Connection, Engine, insert, select

from local_mes.level2.spool_repeats import REPEAT_WINDOW, LinkNumbers, Numbers, find_stored
from local_mes.level2.spool_tables import LETS_GO, identity, spool_metadata
from shared.clock import Clock
from shared.db.append_only import drop_statements, statements
from shared.db.driver import execute
from shared.db.engine import read, write
from shared.ids import random_key

T = TypeVar("T")

ROWS_A_STATEMENT = 32
"""Messages in one statement: a peer's usual window; each number of rows is a statement that is kept prepared."""
BATCH_MAX = 500
"""Messages in one commit: bounds how long the first of them waits."""


class Incoming(Struct, frozen=True, gc=False):
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
    fields: Mapping[str, Any] = field(default_factory=dict)
    problem: str = ""
    always_new: bool = False
    """It carries neither number nor time: nothing could tell a repeat from another of the same."""
    window: int = REPEAT_WINDOW
    """Messages of its link in which a repeat is looked for: before its number comes round, at most half of all."""

    @property
    def digest(self) -> str:
        """What makes two messages with one sequence the same: name, claimed time and body (not flags)."""
        text = b"\x1f".join((self.message.encode(), self.claimed.encode(), self.body))
        return hashlib.sha256(text).hexdigest()[:32]


class Stored(Struct, frozen=True, gc=False):
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


_ADDED_TO_DOWN = {
    "queued_real_ms": "INTEGER",
    "asked_by": "VARCHAR",
    "piece": "VARCHAR",
    "valid_until_real_ms": "INTEGER",
    "settled_by": "VARCHAR",
}


def _upgrade(conn: Connection) -> None:
    """A spool of an older release gets the guard of today, which lets messages go, and what orders have since."""
    columns = conn.exec_driver_sql("SELECT name FROM pragma_table_info('down')").scalars().all()
    for name, kind in _ADDED_TO_DOWN.items():
        if name not in columns:
            conn.exec_driver_sql(f"ALTER TABLE down ADD COLUMN {name} {kind}")
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


def append_all(conn: Connection, batch: Sequence[Incoming], numbers: Numbers | None = None) -> list[Stored]:
    """Store messages of one link in their order, each unless it is stored; numbers: of the thread that writes.

    A look at the spool's end and one statement for all of them; another only where one of them may be a repeat.
    """
    link, window = batch[0].link, batch[0].window
    if len(batch) > window:
        parts = [batch[at : at + window] for at in range(0, len(batch), window)]
        return [one for part in parts for one in append_all(conn, part, numbers)]
    last, newest = execute(conn, _ENDS, (link,)).fetchone()
    counted = numbers.of(conn, link, last) if numbers else LinkNumbers()
    asked = [one.sequence for one in batch if numbers is None or counted.may_have(one.sequence)]
    known = find_stored(conn, link, asked, last, window) if asked else {}
    stored, rows = [], []
    for incoming in batch:
        sequence, digest = last + 1 if incoming.always_new else incoming.sequence, incoming.digest
        at = None if incoming.always_new else known.get((sequence, digest))
        if at is None:
            newest, last = newest + 1, last + 1
            known[sequence, digest] = newest
            counted.note(last, sequence)
            rows.append(_row(incoming, newest, last, sequence, digest))
        stored.append(Stored(at or newest, at is not None))
    for at in range(0, len(rows), ROWS_A_STATEMENT):
        some = rows[at : at + ROWS_A_STATEMENT]
        execute(conn, _insert(len(some)), tuple(chain.from_iterable(some)))
    return stored


# the hottest statements of the collector: the driver keeps them prepared
_ENDS = """
SELECT coalesce((SELECT max(ordinal) FROM message WHERE link = ?), 0),
       coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'message'), 0)
"""
_INSERT = """
INSERT INTO message (spool_id, link, ordinal, message, sequence, digest, claimed, claimed_ms, received_ms, offset_ms,
                     zone_offset_min, raw, fields, problem)
VALUES """


@lru_cache(maxsize=ROWS_A_STATEMENT)
def _insert(rows: int) -> str:
    """One statement for all rows: the driver lets other threads in, and waits to come back, once and not at each."""
    return _INSERT + ", ".join(["(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"] * rows)


def _row(incoming: Incoming, spool_id: int, ordinal: int, sequence: int, digest: str) -> tuple[Any, ...]:
    return (
        spool_id,
        incoming.link,
        ordinal,
        incoming.message,
        sequence,
        digest,
        incoming.claimed[:64],
        incoming.claimed_ms,
        incoming.received_ms,
        incoming.offset_ms,
        incoming.zone_offset_min,
        incoming.raw,
        _to_json(incoming.fields).decode(),
        incoming.problem,
    )


_to_json = msgspec.json.Encoder().encode
_Job = tuple[Callable[[Connection], Any], "Future[Any]", Callable[[], None] | None]


class SpoolWriter:
    """The writing thread. Futures are set after the commit, never before."""

    def __init__(self, engine: Engine) -> None:
        self.numbers = Numbers()
        """What is known of each link's numbers; for jobs that append, within the writing thread."""
        self._engine = engine
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="spool-writer", daemon=True)
        self._thread.start()

    def append(self, incoming: Incoming) -> Future[Stored]:
        """Queue a message; the result comes when it is on disk."""
        return self.submit(partial(append, incoming=incoming))

    def append_all(
        self, batch: Sequence[Incoming], meanwhile: Callable[[], None] | None = None
    ) -> Future[list[Stored]]:
        """Queue messages of one link that came together; they are in one commit."""
        return self.submit(partial(append_all, batch=batch, numbers=self.numbers), meanwhile)

    def submit(self, job: Callable[[Connection], T], meanwhile: Callable[[], None] | None = None) -> Future[T]:
        """Queue any other write to the spool, in order with the messages.

        meanwhile: called by the writing thread as it begins to wait for the disk, with nothing safe yet; must not fail.
        """
        done: Future[T] = Future()
        self._jobs.put((job, done, meanwhile))
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
        batch = [one for one in batch if one[1].set_running_or_notify_cancel()]
        try:
            with write(self._engine) as conn:
                results = [job(conn) for job, _, _ in batch]
                for _, _, meanwhile in batch:
                    if meanwhile:
                        meanwhile()
        except Exception as error:  # noqa: BLE001 - reaches whoever waits; ends not the one thread that writes
            self.numbers.forget()
            for _, done, _ in batch:
                done.set_exception(error)
            return
        for (_, done, _), result in zip(batch, results, strict=True):
            done.set_result(result)
