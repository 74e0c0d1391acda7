"""When to try again: full-jitter exponential back-off, without an end (nothing has a time to live)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Backoff:
    """How long to wait after a number of failures in a row.

    first_s upper bound of the first wait: a lost packet should cost about a second
    max_s   upper bound of a wait: 300 s keeps a hub that comes back busy only with useful calls
    random  gives a number in [0, 1); peers that lost the hub together must not return together
    """

    first_s: float
    max_s: float
    random: Callable[[], float]

    def wait_s(self, failures: int) -> float:
        """Seconds to wait after `failures` failures in a row: uniform in [0, min(max, first * 2**(failures-1)))."""
        if failures <= 0:
            return 0.0
        doublings = min(failures - 1, 30)
        return float(min(self.max_s, self.first_s * 2**doublings)) * self.random()


class BatchSize:
    """How many entries to offer next: halved when a send came to nothing, grown when it went through."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._now = most

    @property
    def entries(self) -> int:
        """Entries to offer; never below one, so that a line that passes anything makes progress."""
        return self._now

    def went_through(self) -> None:
        """A batch was received."""
        self._now = min(self._most, self._now * 2)

    def came_to_nothing(self) -> None:
        """A batch was lost, cut or refused for its size."""
        self._now = max(1, self._now // 2)
