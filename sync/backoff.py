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

    def wait_as_asked_s(self, after_s: float) -> float:
        """Seconds to wait when the peer named them: never less, up to half more, so that all do not return at once."""
        return after_s * (1 + self.random() / 2)


NEVER = 1 << 62
"""More entries than any batch has."""


class BatchSize:
    """How many entries to offer next: halved when a send came to nothing, grown when it went through.

    Doubled up to half of what last failed, then in steps of an eighth until that passes too: a narrow line is not filled
    over and over. Never more than the peer's credit.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._now = most
        self._failed_at = NEVER
        self._credit = most

    @property
    def entries(self) -> int:
        """Entries to offer; never below one, so that a line that passes anything makes progress."""
        return max(1, min(self._now, self._credit))

    def went_through(self, credit: int = 0) -> None:
        """A batch was received; credit is how many entries the peer wishes at most, 0 when it says nothing."""
        if self._now >= self._failed_at:
            self._failed_at = NEVER
        grown = self._now * 2 if self._now * 4 <= self._failed_at else self._now + max(1, self._now // 8)
        self._now = min(self._most, grown)
        self._credit = credit or self._most

    def came_to_nothing(self) -> None:
        """A batch was lost, cut or refused for its size."""
        self._failed_at = self.entries
        self._now = max(1, self._failed_at // 2)
