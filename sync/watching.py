"""A thread that does a node's own small looks, one after another, every few seconds, until stopped.

A look that fails is told and made again at the next round; it never holds up another.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from sqlalchemy.exc import SQLAlchemyError

from shared.errors import StrandlineError
from shared.logs import get
from shared.threads import Runner, looping, plainly
from sync.bell import Bell

log = get("watching")

Look = tuple[str, Callable[[], None]]


class Watching:
    """Runs named looks in order every look_s seconds of real time, and at once when nudged."""

    def __init__(self, lane: str, looks: Sequence[Look], look_s: float, run: Runner = plainly) -> None:
        self._looks = looks
        self._look_s = look_s
        self._bell = Bell()
        self._stopping = threading.Event()
        self._thread = looping(run, lane, self._run, self._stopping)

    @property
    def is_alive(self) -> bool:
        """Whether the thread runs."""
        return self._thread.is_alive()

    def start(self) -> None:
        """Begin with a first round."""
        self._thread.start()

    def nudge(self) -> None:
        """A round now."""
        self._bell.ring()

    def stop(self, timeout_s: float = 3.0) -> None:
        """End after the look in hand."""
        self._stopping.set()
        self._bell.ring()
        self._thread.join(timeout_s)

    def _run(self) -> None:
        while not self._stopping.is_set():
            seen = self._bell.rings
            for name, look in self._looks:
                if self._stopping.is_set():
                    return
                try:
                    look()
                except (SQLAlchemyError, StrandlineError, OSError) as error:
                    log.warning("a look failed", look=name, reason=str(error)[:300])
            self._bell.wait(seen, self._look_s)
