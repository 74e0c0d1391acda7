"""How often an address may try: tokens and links that are wrong are counted by who asks, right ones by what they open.

So nobody who guesses locks out those who hold a link. Counted in the process alone: after a restart it begins anew.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable

from local_mes.outside import errors

WINDOW_S = 60.0
KEYS_MAX = 10_000
"""Askers remembered; the oldest is forgotten first, so that memory has an end."""


class Limit:
    """At most `most` times in a minute for each key."""

    def __init__(self, most: int, now: Callable[[], float] = time.monotonic) -> None:
        self._most = most
        self._now = now
        self._counts: OrderedDict[str, tuple[float, int]] = OrderedDict()
        self._lock = threading.Lock()

    def count(self, key: str) -> None:
        """One more; TooManyTries with when to come back once there were too many."""
        now = self._now()
        with self._lock:
            begun, count = self._counts.pop(key, (now, 0))
            if now - begun >= WINDOW_S:
                begun, count = now, 0
            self._counts[key] = (begun, count + 1)
            while len(self._counts) > KEYS_MAX:
                self._counts.popitem(last=False)
        if count >= self._most:
            raise errors.TooManyTries(WINDOW_S - (now - begun))
