"""Which of several addresses of a peer is used: health, latency and choice with hysteresis. Pure: the time is passed in.

One Board a way (up: hello and push, down: pull), because a line can be dead in one direction only. A route is left after
`failures_max` failures in a row, is looked at again by probes, and is preferred again only after it has been well for
`hold_s`; each time it disappoints again that span doubles. Order: well before not, priority, latency, as listed.
Times are seconds of a monotonic clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

State = Literal["untried", "well", "failing", "left"]

FASTER_SHARE, FASTER_S = 0.7, 0.02
"""Of two routes of one priority the other is taken when its latency is below 70 % of ours and 20 ms better."""

SMOOTHING = 0.3
"""Weight of the newest measurement in a latency."""

HOLD_DOUBLINGS_MAX = 5
"""A route that keeps disappointing is tried again after 32 times hold_s at the latest: about an hour."""

FORGIVEN_HOLDS = 10
"""A route that was used for ten times hold_s without a failure starts anew."""


@dataclass(frozen=True)
class Route:
    """One address of a peer. The lowest priority number that is well is used."""

    name: str
    url: str
    priority: int = 1


@dataclass(frozen=True)
class Rules:
    """When a route is left and when it is taken back (settings: sync.route_*)."""

    failures_max: int
    hold_s: float


@dataclass
class Health:
    """What is known of one route on one way."""

    route: Route
    place: int
    state: State = "untried"
    since_s: float = 0.0
    failures: int = 0
    latency_s: float | None = None
    last_good_s: float | None = None
    well_since_s: float | None = None
    last_tried_s: float = float("-inf")
    relapses: int = 0
    returned: bool = False
    reason: str = ""

    def rank(self) -> tuple[int, float, int]:
        """Smaller is better, among routes that can be used."""
        return (self.route.priority, self.latency_s if self.latency_s is not None else float("inf"), self.place)


class Board:
    """The routes of one way, and the one that is chosen."""

    def __init__(self, routes: Sequence[Route], rules: Rules, now_s: float) -> None:
        self._rules = rules
        self._all = [Health(route, place, since_s=now_s) for place, route in enumerate(routes)]
        self._chosen, self._chosen_s = min(self._all, key=Health.rank), now_s
        self.why = "the only one" if len(routes) == 1 else "first by priority"

    @property
    def chosen(self) -> Route:
        """The route to use now."""
        return self._chosen.route

    @property
    def usable(self) -> bool:
        """Whether the chosen route is not known to be dead."""
        return self._chosen.failures < self._rules.failures_max

    def healths(self) -> list[Health]:
        """All routes in the order of the settings."""
        return list(self._all)

    def good(self, name: str, now_s: float, latency_s: float | None = None, *, probe: bool = False) -> None:
        """A signed answer came back over this route. A probe alone does not clear the failures of the one in use."""
        health = self._find(name)
        health.last_tried_s = health.last_good_s = now_s
        if latency_s is not None:
            old = health.latency_s
            health.latency_s = latency_s if old is None else old + SMOOTHING * (latency_s - old)
        if probe and health is self._chosen and health.failures:
            return
        if health.well_since_s is None:
            health.well_since_s = now_s
        if health is self._chosen or health.state != "left" or self._has_held(health, now_s):
            self._mark(health, "well", now_s, "")
            health.failures = 0
        if health is self._chosen and now_s - self._chosen_s > FORGIVEN_HOLDS * self._rules.hold_s:
            health.relapses, health.returned = 0, False
        self._choose(now_s)

    def bad(self, name: str, now_s: float, reason: str) -> None:
        """Nothing that the peer signed came back over this route."""
        health = self._find(name)
        health.last_tried_s = now_s
        health.well_since_s = None
        health.failures += 1
        left = health.failures >= self._rules.failures_max
        self._mark(health, "left" if left else "failing", now_s, reason)
        self._choose(now_s)

    def _choose(self, now_s: float) -> None:
        now = self._chosen
        usable = [h for h in self._all if h.failures < self._rules.failures_max]
        if now not in usable:
            answering = [h for h in self._all if h.well_since_s is not None]
            # all dead: in turn, so that whichever comes back first is found
            found = min(usable or answering or self._all, key=Health.rank if usable or answering else _last_tried)
            if found is not now:
                now.relapses += now.returned
                self._take(found, now_s, f"{now.route.name} left: {now.failures} failures in a row. {now.reason}")
            return
        better = min((h for h in usable if self._is_better(h, now, now_s)), key=Health.rank, default=None)
        if better is not None:
            better.returned = True
            self._take(better, now_s, _why_better(better, now))

    def _is_better(self, other: Health, now: Health, now_s: float) -> bool:
        if other is now or other.state != "well" or not self._has_held(other, now_s):
            return False
        if other.route.priority != now.route.priority:
            return other.route.priority < now.route.priority
        if other.latency_s is None or now.latency_s is None:
            return False
        return other.latency_s < now.latency_s * FASTER_SHARE and other.latency_s < now.latency_s - FASTER_S

    def _has_held(self, health: Health, now_s: float) -> bool:
        hold_s = self._rules.hold_s * 2 ** min(health.relapses, HOLD_DOUBLINGS_MAX)
        return health.well_since_s is not None and now_s - health.well_since_s >= hold_s

    def _take(self, health: Health, now_s: float, why: str) -> None:
        health.failures = min(health.failures, self._rules.failures_max - 1)
        self._chosen, self._chosen_s, self.why = health, now_s, why
        if health.state == "left":
            self._mark(health, "failing", now_s, health.reason)

    def _mark(self, health: Health, state: State, now_s: float, reason: str) -> None:
        if health.state != state:
            health.since_s = now_s
        health.state, health.reason = state, reason

    def _find(self, name: str) -> Health:
        return next(health for health in self._all if health.route.name == name)


def _why_better(better: Health, now: Health) -> str:
    if better.route.priority != now.route.priority:
        return f"{better.route.name} is well again and preferred by priority"
    return f"{better.route.name} is faster: {_ms(better)} ms instead of {_ms(now)} ms"


def _last_tried(health: Health) -> tuple[float, float, int]:
    return (health.last_tried_s, 0, health.place)


def _ms(health: Health) -> int:
    return round((health.latency_s or 0) * 1000)
