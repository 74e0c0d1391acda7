"""Two installations of one node taking turns: told from restores and restarts. Pure.

A copied machine has the same key, the same journal and the same name, so neither of the two can know of the other. The
called side sees it by their hellos. Each process start has a `boot` of its own that is kept nowhere; each life of a
database has an `instance`. A boot that comes back after another one called under another instance is alive beside it.
A restart or a restore always comes with a new boot, and one of them never returns; two processes on one database
share its instance. Once may still be a machine that was stopped and went on; twice within a day is two machines.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

WINDOW_MS = 24 * 3_600_000
"""Turns further apart than this do not add up: an hour's standstill a week is no clone."""

TURNS_MAX = 2
"""From so many turns on both are held."""

VISITS_KEPT = 20
"""Changes of caller remembered a peer: more than enough to count the turns of a day."""


@dataclass(frozen=True)
class Visit:
    """A hello by another caller than the one before."""

    boot: str
    instance: str
    at_ms: int


def is_change(visits: Sequence[Visit], new: Visit) -> bool:
    """Whether this hello comes from another caller, or another life of it, than the last."""
    return not visits or (visits[-1].boot, visits[-1].instance) != (new.boot, new.instance)


def turns(visits: Sequence[Visit], now_ms: int) -> int:
    """How often, within the window, a caller came back after another life had taken over. Oldest visit first."""
    seen: set[str] = set()
    count = 0
    for at, visit in enumerate(visits):
        before = visits[at - 1] if at else visit
        came_back = visit.boot in seen and visit.boot != before.boot and visit.instance != before.instance
        if came_back and visit.at_ms > now_ms - WINDOW_MS:
            count += 1
        seen.add(visit.boot)
    return count


def suspected(visits: Sequence[Visit], now_ms: int) -> bool:
    """Whether two installations are taking turns."""
    return turns(visits, now_ms) >= TURNS_MAX
