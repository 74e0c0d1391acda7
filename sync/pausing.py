"""A transport whose pushes can be held back for a moment: so that the peer stands still while rows are compared."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from sync.transport import Door, Transport


class PausableWay:
    """As the transport beneath, any number of pushes at once; a pause waits for them, and they wait for its end."""

    def __init__(self, way: Transport) -> None:
        self._way = way
        self._under_way = 0
        self._paused = False
        self._change = threading.Condition()

    def send(self, door: Door, body: bytes) -> bytes:
        """The peer's answer; only a push waits for a pause."""
        if door != "push":
            return self._way.send(door, body)
        with self._change:
            self._change.wait_for(lambda: not self._paused)
            self._under_way += 1
        try:
            return self._way.send(door, body)
        finally:
            with self._change:
                self._under_way -= 1
                self._change.notify_all()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """No push is under way, and none begins."""
        with self._change:
            self._change.wait_for(lambda: not self._paused)
            self._paused = True
            self._change.wait_for(lambda: not self._under_way)
        try:
            yield
        finally:
            with self._change:
                self._paused = False
                self._change.notify_all()
