"""Two batches of one stream that are in work at once are stored in their order, whichever is unpacked first.

A sender with a backlog has two on their way. The later one would be refused as a gap if it came to be stored first, so
it waits for the one before it. A wait, no rule of safety: what is stored is judged by the database alone.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from sync.messages import Seal

IN_WORK_S = 10.0
"""Wait for the batch before: below every sender's read time-out."""


class InOrder:
    """Which batches are being worked on in this process: (stream, epoch, last entry)."""

    def __init__(self) -> None:
        self._left = threading.Condition()
        self._in_work: set[tuple[str, str, int]] = set()

    @contextmanager
    def work(self, seal: Seal) -> Iterator[None]:
        """Be known to work on a batch, until it is stored or refused."""
        mine = seal.stream, seal.epoch, seal.last
        with self._left:
            self._in_work.add(mine)
        try:
            yield
        finally:
            with self._left:
                self._in_work.discard(mine)
                self._left.notify_all()

    def wait(self, seal: Seal, longest_s: float = IN_WORK_S) -> None:
        """Wait until nobody works on the batch before this one."""
        before = seal.stream, seal.epoch, seal.first - 1
        if seal.kind == "batch":
            with self._left:
                self._left.wait_for(lambda: before not in self._in_work, longest_s)
