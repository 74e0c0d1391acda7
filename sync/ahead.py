"""The batch after the one on its way: made while that is stored, and sent beside it.

Reading and sealing here cost about what storing costs at the peer, and a line is idle while it waits for an answer. So
in a backlog two batches are on their way. Nothing depends on it: what was made or sent ahead and is not wanted any more
is thrown away, the peer stores in order whatever comes, and the database is asked again what the peer lacks.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future

from sync.caller import Caller, Session
from sync.messages import Receipt
from sync.outgoing import Sealed

THREADS = 2
"""The batch whose answer is awaited, and the one after it."""

BESIDE_FROM = 500
"""Entries from which on a batch is sent beside another: making a smaller one is so quick that it could arrive first."""

ALONE_PUSHES = 16
"""Pushes without a second one beside them, after one of two was refused or took long."""


class Flight:
    """A batch that another thread makes and, unless it is to wait, sends."""

    def __init__(self, session: Session, beside: bool) -> None:
        self.session = session
        self.beside = beside
        self.made: Future[Sealed | None] = Future()
        self.answer: Future[Receipt] = Future()


class Ahead:
    """At most one batch ahead of the one whose answer is awaited, for the session that it was begun in."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller
        self._orders: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._free = THREADS
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._flight: Flight | None = None
        self._alone = 0

    def begin(self, session: Session, sealed: Sealed, entries_max: int) -> None:
        """Make and send what follows this batch, if it was a full one: then there is probably more."""
        if sealed.entries < entries_max or not self._take_thread():
            return
        flight = self._flight = Flight(session, beside=not self._alone and entries_max >= BESIDE_FROM)
        self._alone = max(0, self._alone - 1)
        self._orders.put(lambda: self._fly(flight, sealed, entries_max))

    def take(self, session: Session) -> Flight | None:
        """What was begun; None where nothing was or for another session."""
        flight, self._flight = self._flight, None
        return flight if flight is not None and flight.session is session else None

    def drop(self) -> None:
        """The batch before it did not arrive."""
        self._flight = None

    def go_alone(self) -> None:
        """One batch at a time for a while: the peer is busy, or the line is narrow."""
        self._alone = ALONE_PUSHES

    def stop(self) -> None:
        """End the threads after the batches in hand; nobody waits for them."""
        for _ in self._threads:
            self._orders.put(None)

    def _take_thread(self) -> bool:
        with self._lock:
            if not self._free:
                return False
            self._free -= 1
        if len(self._threads) < THREADS:
            # daemons: the end of the process does not wait for an answer
            thread = threading.Thread(target=self._work, name="sync-ahead", daemon=True)
            self._threads.append(thread)
            thread.start()
        return True

    def _work(self) -> None:
        while (order := self._orders.get()) is not None:
            order()
            with self._lock:
                self._free += 1

    def _fly(self, flight: Flight, before: Sealed, entries_max: int) -> None:
        try:
            sealed = self._caller.prepare_after(flight.session, before, entries_max)
        except Exception as error:  # noqa: BLE001 - whoever takes the flight meets it
            flight.made.set_exception(error)
            return
        flight.made.set_result(sealed)
        if sealed is None or not flight.beside:
            return
        try:
            flight.answer.set_result(self._caller.send(sealed))
        except Exception as error:  # noqa: BLE001
            flight.answer.set_exception(error)
