"""Which pushes a receiver works on: a few at a time, the others in line, the rest asked to come back; none when full.

Twenty plants that come back together after an outage each bring a backlog. Working on all of them at once makes every
one slow and the memory large; first come, first served, with one batch each, gives all of them the same share.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from shared.disk import ALARM, look
from shared.ids import jitter
from shared.storage import ROOM_RETRY_S
from sync.errors import Busy, StorageFull

PUSHES_AT_ONCE = 4
"""Batches in work: enough to unpack one while another waits for the disk."""

PUSHES_WAITING = 16
"""Batches in line, each holding one of the web server's threads and at most BODY_BYTES_LIMIT of memory."""

WAIT_S = 10.0
"""Time in line: below every sender's read time-out."""

BUSY_RETRY_S = 1.0
"""Least time to stay away when the line is full; up to three times as long by chance, so that they do not return at
once."""


class Turns:
    """So many at a time, in the order of their coming."""

    def __init__(self, at_once: int, waiting_max: int) -> None:
        self._free = at_once
        self._waiting_max = waiting_max
        self._line: deque[threading.Event] = deque()
        self._lock = threading.Lock()

    def take(self, wait_s: float) -> bool:
        """Wait for a turn; False when the line is full or the time is over."""
        with self._lock:
            if self._free and not self._line:
                self._free -= 1
                return True
            if len(self._line) >= self._waiting_max:
                return False
            mine = threading.Event()
            self._line.append(mine)
        if mine.wait(wait_s):
            return True
        with self._lock:
            if mine.is_set():
                return True
            self._line.remove(mine)
            return False

    def give_back(self) -> None:
        """Hand the turn to the next in line: one who comes just now does not overtake."""
        with self._lock:
            if self._line:
                self._line.popleft().set()
            else:
                self._free += 1


class Admission:
    """What stands before a receiver's desk."""

    def __init__(
        self,
        check_room: Callable[[], None],
        at_once: int = PUSHES_AT_ONCE,
        waiting_max: int = PUSHES_WAITING,
        wait_s: float = WAIT_S,
    ) -> None:
        self._check_room = check_room
        self._turns = Turns(at_once, waiting_max)
        self._wait_s = wait_s

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Work on one push. StorageFull, or Busy with the time to come back."""
        self._check_room()
        if not self._turns.take(self._wait_s):
            error = Busy("sync.busy", "Many nodes are sending just now.", todo="The batch is sent again by itself.")
            error.after_s = BUSY_RETRY_S * (1 + 2 * jitter())
            raise error
        try:
            yield
        finally:
            self._turns.give_back()


def room_in(folder: Path) -> Callable[[], None]:
    """StorageFull from 95 % on: the rest is for this node's own facts and for applying what it has."""

    def check_room() -> None:
        disk = look(folder)
        if disk.used >= ALARM:
            error = StorageFull("sync.storage_full", f"No room: {disk}.", todo="Make room at the receiver.")
            error.after_s = ROOM_RETRY_S * (0.5 + jitter())
            raise error

    return check_room


def always_room() -> None:
    """A receiver without a disk to watch."""
