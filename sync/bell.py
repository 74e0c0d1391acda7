"""Waking threads: a bell that counts its rings, so that none is missed between a look and a wait."""

from __future__ import annotations

import threading
import time


class Bell:
    """Rung when something may be new; waiters look for themselves what it is."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._rings = 0

    @property
    def rings(self) -> int:
        """How often it was rung; take it before looking, give it to wait."""
        return self._rings

    def ring(self) -> None:
        """Wake everyone who waits."""
        with self._condition:
            self._rings += 1
            self._condition.notify_all()

    def wait(self, seen: int, timeout_s: float) -> bool:
        """Return at once if it was rung after `seen`, else when it is, or False after timeout_s."""
        end = time.monotonic() + timeout_s
        with self._condition:
            while self._rings == seen:
                left = end - time.monotonic()
                if left <= 0:
                    return False
                self._condition.wait(left)
            return True
