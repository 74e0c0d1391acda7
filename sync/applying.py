"""Applying what was received: one thread, apart from receiving, author by author, a bounded chunk a transaction.

It knows no peers: whatever stream is held here and was not written here is applied from its position on. After each
commit the listeners are told which fact types changed rows.

An author of whom too much cannot be applied is stopped (shared/journal/stopping.py): its own stream waits at its
position, its facts that come by another way are held. It goes on when a start of this release applies enough of what
was set aside, or when an operator says so. Receiving never stops.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from sqlalchemy import Connection, Engine, select
from sqlalchemy.exc import SQLAlchemyError

from shared.clock import Clock
from shared.db.engine import read, write
from shared.errors import StrandlineError
from shared.journal.apply import Appliers
from shared.journal.position import applied_to, lock_applying, move_to
from shared.journal.quarantine import count_by_state
from shared.journal.reading import entries_after, lives
from shared.journal.rebuild import redrive_in_steps
from shared.journal.rebuild_author import rebuild_author
from shared.journal.replay import Tally, apply_entries
from shared.journal.stopping import Window, find_stops, is_too_much, resume, stop
from shared.journal.tables import epoch, head
from shared.logs import get
from shared.threads import Runner, looping, plainly
from sync import incidents
from sync.backoff import Backoff
from sync.bell import Bell
from sync.lease import LEASE_S, Lease

log = get("apply")

Listener = Callable[[frozenset[str]], None]


class Applying:
    """Brings the rows of other authors level with what is durable here.

    arrived is rung when entries were stored; look_s is how often the database is looked at without a ring, because
    another worker process may have stored them.
    """

    def __init__(
        self,
        engine: Engine,
        clock: Clock,
        appliers: Appliers,
        arrived: Bell,
        lease: Lease,
        backoff: Backoff,
        *,
        entries_max: int,
        look_s: float = 1.0,
        run: Runner = plainly,
    ) -> None:
        self._engine = engine
        self._clock = clock
        self._appliers = appliers
        self._arrived = arrived
        self._lease = lease
        self._backoff = backoff
        self._entries_max = entries_max
        self._look_s = min(look_s, LEASE_S / 3)
        self._listeners: list[Listener] = []
        self._windows: dict[str, Window] = {}
        self._stopping = threading.Event()
        self._thread = looping(run, "apply", self._run, self._stopping)

    def listen(self, listener: Listener) -> None:
        """Have the listener told the types of facts that were applied, after each commit."""
        self._listeners.append(listener)

    def start(self) -> None:
        """Try once more what was set aside (this release may read it), then follow what arrives."""
        self._thread.start()

    def stop(self, timeout_s: float = 3.0) -> None:
        """End after the chunk in hand."""
        self._stopping.set()
        self._arrived.ring()
        self._thread.join(timeout_s)
        self._lease.give_up()

    def leads(self) -> bool:
        """Whether this process is the one of its node that applies: what only one may do beside follows it."""
        return self._lease.held()

    def apply_all(self) -> int:
        """Apply everything that is durable now; returns how many facts changed rows."""
        total = 0
        while (tally := self._chunk()) is not None:
            total += tally.applied
            for listener in self._listeners:
                listener(frozenset(tally.types))
        return total

    def retry_set_aside(self, author: str | None = None) -> int:
        """Try again what is set aside, of one author or of all; returns how many facts changed rows."""
        return redrive_in_steps(self._engine, self._appliers, self._clock, author).applied

    def look_again_at_stopped(self) -> list[str]:
        """Resume authors of whom, after another try, no longer too much is quarantined; returns them."""
        with write(self._engine) as conn:
            better = [
                author
                for author, stopped in find_stops(conn).items()
                if not is_too_much(stopped.tried, count_by_state(conn, author)["quarantined"])
            ]
            for author in better:
                incidents.end(conn, author, "apply_stopped", self._clock.now_ms())
            return resume(conn, better)

    def _run(self) -> None:
        failures, retried = 0, False
        while not self._stopping.is_set():
            seen = self._arrived.rings
            try:
                if self._lease.held():
                    if not retried:
                        self.retry_set_aside()
                        for author in self.look_again_at_stopped():
                            self.retry_set_aside(author)
                        retried = True
                    self.apply_all()
                failures = 0
                self._arrived.wait(seen, self._look_s)
            except (StrandlineError, SQLAlchemyError, OSError) as error:
                failures += 1
                wait_s = self._backoff.wait_s(failures)
                log.warning("applying failed", wait_s=round(wait_s, 1), reason=str(error)[:300])
                self._stopping.wait(wait_s)

    def _chunk(self) -> Tally | None:
        """Apply the next entries of the first stream that has any; None when all is applied."""
        with read(self._engine) as conn:
            place = _next_place(conn)
        if place is None or self._stopping.is_set():
            return None
        stream, epoch_id = place
        with write(self._engine) as conn:
            lock_applying(conn)
            if _is_overtaken(conn, stream, epoch_id):
                return Tally(applied=rebuild_author(conn, self._appliers, stream, self._clock.now_ms()))
            after = applied_to(conn, stream, epoch_id)
            entries = entries_after(conn, stream, epoch_id, after, self._entries_max)
            if not entries:
                return Tally()
            tally = apply_entries(conn, self._appliers, entries, self._clock.now_ms(), stopped=find_stops(conn))
            move_to(conn, stream, epoch_id, entries[-1].seq)
            self._watch(conn, tally)
        return tally

    def _watch(self, conn: Connection, tally: Tally) -> None:
        """Stop authors of whom too much could not be applied lately; a stopped one is counted anew when it goes on."""
        now, stops = self._clock.now_ms(), find_stops(conn)
        for author, (tried, quarantined) in tally.by_author.items():
            window = self._windows.setdefault(author, Window())
            if author in stops or not window.add(now, tried, quarantined):
                continue
            made = stop(conn, author, self._windows.pop(author), now)
            incidents.hold(conn, self._clock, author, "apply_stopped", "alarm", made.reason, "")
            log.error("applying stopped", author=author, reason=made.reason)


def copied_streams(conn: Connection) -> list[str]:
    """Streams held here that other nodes write."""
    mine = select(head.c.stream)
    return list(
        conn.execute(
            select(epoch.c.stream).where(epoch.c.stream.not_in(mine)).distinct().order_by(epoch.c.stream)
        ).scalars()
    )


def _is_overtaken(conn: Connection, stream: str, epoch_id: str) -> bool:
    """Whether a later epoch of an author was applied before this one ended: it lived twice at once, or was rolled back
    and wrote on. Its rows follow the order of its epochs, so they are made again."""
    if ">" in stream:
        return False
    order = [life.epoch for life in lives(conn, stream)]
    return any(applied_to(conn, stream, later) for later in order[order.index(epoch_id) + 1 :])


def _next_place(conn: Connection) -> tuple[str, str] | None:
    stops = find_stops(conn)
    for stream in copied_streams(conn):
        for life in lives(conn, stream) if stream not in stops else ():
            if applied_to(conn, stream, life.epoch) < life.seq:
                return stream, life.epoch
    return None
