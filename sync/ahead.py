"""The batches after the one on its way: made while that is stored, and sent beside it.

Reading and sealing here cost about what storing costs at the peer, and a line is idle while it waits for an answer. So
in a backlog three batches are in work: one stored, one on its way or unpacked at the peer, one made here. Nothing
depends on it: what was made or sent ahead and is not wanted any more is thrown away, the peer stores in order whatever
comes, and the database is asked again what the peer lacks.
"""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial

from sync.caller import Caller, Session
from sync.messages import Receipt
from sync.outgoing import Sealed

AHEAD = 2
"""Batches behind the one whose answer is awaited; a third moves nothing more."""

THREADS = AHEAD + 1
"""The batch whose answer is awaited may have been one of those before."""

BESIDE_FROM = 500
"""Entries from which on a batch is sent beside another: making a smaller one is so quick that it could arrive first."""

ALONE_PUSHES = 16
"""Pushes without a second one beside them, after one of two was refused or took long."""


class Flight:
    """A batch that another thread makes, once the one before it is made, and, unless it is to wait, sends."""

    def __init__(self, session: Session, beside: bool) -> None:
        self.session = session
        self.beside = beside
        self.made: Future[Sealed | None] = Future()
        self.answer: Future[Receipt] = Future()


class Ahead:
    """The batches ahead of the one whose answer is awaited, in order, for the session that they were begun in."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller
        self._orders: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._free = THREADS
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._flights: deque[Flight] = deque()
        self._alone = 0

    def begin(self, session: Session, sealed: Sealed, entries_max: int) -> None:
        """Make and send what follows this batch, if it was a full one: then there is probably more."""
        if sealed.entries < entries_max:
            return
        beside = not self._alone and entries_max >= BESIDE_FROM
        before = self._flights[-1].made if self._flights else _is_made(sealed)
        while len(self._flights) < (AHEAD if beside else 1) and self._take_thread():
            flight = Flight(session, beside)
            self._flights.append(flight)
            self._orders.put(partial(self._fly, flight, before, entries_max))
            before = flight.made
        self._alone = max(0, self._alone - 1)

    def take(self, session: Session) -> Flight | None:
        """The next of what was begun; None where nothing was or for another session."""
        flight = self._flights.popleft() if self._flights else None
        if flight is None or flight.session is session:
            return flight
        self.drop()
        return None

    def drop(self) -> None:
        """The batch before them did not arrive, or nothing follows it."""
        self._flights.clear()

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

    def _fly(self, flight: Flight, before: Future[Sealed | None], entries_max: int) -> None:
        try:
            first = before.result()
            full = first is not None and first.entries >= entries_max
            sealed = self._caller.prepare_after(flight.session, first, entries_max) if first and full else None
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


def _is_made(sealed: Sealed) -> Future[Sealed | None]:
    made: Future[Sealed | None] = Future()
    made.set_result(sealed)
    return made
