"""How far a peer's clock is from ours: the median of received minus claimed over the last telegrams.

A peer that was away sends what it kept all at once, hundreds of telegrams an hour old, and none of them is a repeat. So
that they do not pass for a clock that is an hour slow, only one telegram in a stretch of time is learned from: a backlog
is over in seconds or minutes, a wrong clock stays wrong.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import deque
from collections.abc import Iterable

SAMPLES = 51
"""Enough that a burst of late messages (fewer than half) does not pass for a wrong clock."""
EVERY_MS = 10_000
"""One sample in that time: a backlog would have to take more than four minutes to count for more than half."""


class ClockOffset:
    """Learns one link's offset in ms: positive when the peer's clock is behind."""

    def __init__(self, samples: Iterable[int] = ()) -> None:
        self._samples: deque[int] = deque(samples, maxlen=SAMPLES)
        self._sorted = sorted(self._samples)
        self._learned_ms: int | None = None

    def learn(self, received_ms: int, claimed_ms: int | None) -> None:
        """One telegram that was sent as it happened (not a repeat, not an unreadable time)."""
        if claimed_ms is None:
            return
        if self._learned_ms is not None and 0 <= received_ms - self._learned_ms < EVERY_MS:
            return
        self._learned_ms = received_ms
        if len(self._samples) == SAMPLES:
            del self._sorted[bisect_left(self._sorted, self._samples[0])]
        self._samples.append(received_ms - claimed_ms)
        insort(self._sorted, received_ms - claimed_ms)

    @property
    def ms(self) -> int:
        """The offset; 0 before the first telegram."""
        return self._sorted[(len(self._sorted) - 1) // 2] if self._sorted else 0

    @property
    def samples(self) -> list[int]:
        """To be kept over a restart."""
        return list(self._samples)
