"""One transport over several addresses of a peer: the board chooses, a signature decides what counts as an answer.

A route is well when what the peer signed came back over it. A proxy's page, a captive portal, a foreign hub, silence:
all count against the route alike. What our own peer refuses in its own words (busy, stale session) is no fault of
the route.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from shared.errors import Unauthenticated
from shared.keys import open_envelope
from sync.compare_messages import COMPARED
from sync.errors import (
    Busy,
    OutOfStep,
    OverLimit,
    PeerHeld,
    StaleSession,
    SyncError,
    TooSlow,
    Unreachable,
    WrongProtocol,
)
from sync.history import Figure
from sync.messages import GIVEN, HASHES, RECEIPT, SEAL, WELCOME
from sync.pack import split
from sync.return_messages import TAKEN
from sync.routes import Board, Route, Rules
from sync.seal import read_envelope
from sync.sight import SEEN, RouteSight
from sync.transport import Door, Transport

Way = Literal["up", "down"]
WAYS: tuple[Way, ...] = ("up", "down")
SIGNED_AS: dict[Door, str] = {
    "hello": WELCOME,
    "push": RECEIPT,
    "sight": SEEN,
    "compare": COMPARED,
    "pull": SEAL,
    "probe": HASHES,
    "history": GIVEN,
    "giveback": TAKEN,
}
NO_FAULT_OF_THE_ROUTE = (StaleSession, OutOfStep, Busy, OverLimit, TooSlow, PeerHeld, WrongProtocol)

BULK_BYTES = 64 << 10
"""A batch this large is told apart: what it took shows what the line carries, not how far away the peer is."""

Trusted = Callable[[], Mapping[str, bytes]]
"""The peer's keys (key id -> 32 raw bytes) as they are now."""


@dataclass(frozen=True)
class RouteState:
    """One route on one way, for pages and metrics. Spans in seconds back from now."""

    route: Route
    way: Way
    state: str
    chosen: bool
    failures: int
    latency_s: float | None
    since_s: float
    good_s: float | None
    reason: str

    def sight(self) -> RouteSight:
        """As it is told to the peer."""
        return RouteSight(
            name=self.route.name,
            way=self.way,
            url=self.route.url[:500],
            priority=self.route.priority,
            state=self.state,
            chosen=self.chosen,
            latency_us=None if self.latency_s is None else round(self.latency_s * 1_000_000),
            reason=self.reason[:500],
        )


class RoutedTransport:
    """Sends over the route that each way's board has chosen, and over the next when that one is left."""

    def __init__(self, routes: Sequence[Route], rules: Rules, lines: Mapping[str, Transport], trusted: Trusted) -> None:
        now = time.monotonic()
        self._lines = lines
        self._routes = sorted(routes, key=lambda route: route.priority)
        self._boards: dict[Way, Board] = {way: Board(routes, rules, now) for way in WAYS}
        self._trusted = trusted
        self._figures = {route.name: Figure() for route in routes}
        self._total = Figure()
        self._lock = threading.Lock()

    @property
    def routes(self) -> list[Route]:
        """All routes, the preferred first."""
        return list(self._routes)

    def send(self, door: Door, body: bytes) -> bytes:
        """The peer's signed answer. Raises like any transport; each route is tried at most once."""
        if door == "enrol":
            return self._enrol(body)
        way: Way = "down" if door == "pull" else "up"
        tried: set[str] = set()
        while True:
            route = self._chosen(way)
            tried.add(route.name)
            try:
                return self._over(route, way, door, body)
            except SyncError:
                if self._chosen(way).name in tried:
                    raise

    def measure(self, route: Route, body: bytes, accept: Callable[[bytes], None]) -> None:
        """A sight over one route, which counts for both ways; accept raises when it is no answer to this one."""
        began = time.monotonic()
        try:
            accept(self._signed("sight", self._lines[route.name].send("sight", body), route))
        except SyncError as error:
            older_peer = error.spoken and isinstance(error, Unreachable)
            self._note(route, WAYS, None if older_peer or self._is_no_fault(error, route) else error, None, probe=True)
            raise
        took_s = time.monotonic() - began
        self._note(route, WAYS, None, took_s, probe=True)
        took_us = round(took_s * 1_000_000)
        self._count(route, Figure(latency_sum_us=took_us, latency_count=1, latency_max_us=took_us))

    def states(self) -> list[RouteState]:
        """Every route on every way."""
        now = time.monotonic()
        with self._lock:
            return [
                RouteState(
                    health.route,
                    way,
                    health.state,
                    board.chosen is health.route,
                    health.failures,
                    health.latency_s,
                    now - health.since_s,
                    None if health.last_good_s is None else now - health.last_good_s,
                    health.reason,
                )
                for way, board in self._boards.items()
                for health in board.healths()
            ]

    def why(self) -> str:
        """Why the routes in use are used, in words."""
        with self._lock:
            up, down = (self._boards[way] for way in WAYS)
            if up.chosen == down.chosen:
                return up.why
            return f"Up over {up.chosen.name} ({up.why}), down over {down.chosen.name} ({down.why})"

    def take_figures(self) -> dict[str, Figure]:
        """What was counted since the last time, by route."""
        with self._lock:
            taken, self._figures = self._figures, {name: Figure() for name in self._figures}
        return taken

    def total(self) -> Figure:
        """What was counted since this process began, over all routes."""
        with self._lock:
            return self._total

    def _chosen(self, way: Way) -> Route:
        with self._lock:
            return self._boards[way].chosen

    def _over(self, route: Route, way: Way, door: Door, body: bytes) -> bytes:
        began = time.monotonic()
        try:
            answer = self._signed(door, self._lines[route.name].send(door, body), route)
        except SyncError as error:
            fault = None if self._is_no_fault(error, route) else error
            self._note(route, (way,), fault, None)
            self._count(route, Figure(calls=1, failed=1 if fault else 0))
            raise
        self._note(route, (way,), None, None)
        self._count(route, _moved(door, len(body), len(answer), time.monotonic() - began))
        return answer

    def _enrol(self, body: bytes) -> bytes:
        """The first route that answers at all: the answer brings its own key, which people compare."""
        error: SyncError = Unreachable("sync.no_route", "There is no route.")
        for route in self._routes:
            try:
                return self._lines[route.name].send("enrol", body)
            except Unreachable as found:
                error = found
        raise error

    def _signed(self, door: Door, answer: bytes, route: Route) -> bytes:
        try:
            envelope = split(answer)[0] if door in ("pull", "history") else answer
            open_envelope(read_envelope(envelope), SIGNED_AS[door], self._trusted())
        except (SyncError, Unauthenticated) as error:
            raise Unreachable(
                "sync.foreign_answer", f"What answers at {route.url} is not our hub: {error.what}"
            ) from error
        return answer

    def _is_no_fault(self, error: SyncError, route: Route) -> bool:
        """Whether our peer itself said no: then the route did its work."""
        if isinstance(error, OutOfStep) and error.receipt:
            try:
                return bool(self._signed("push", error.receipt, route))
            except Unreachable:
                return False
        return error.spoken and isinstance(error, NO_FAULT_OF_THE_ROUTE)

    def _note(
        self, route: Route, ways: Sequence[Way], fault: SyncError | None, took_s: float | None, *, probe: bool = False
    ) -> None:
        now = time.monotonic()
        with self._lock:
            for way in ways:
                board = self._boards[way]
                if fault is None:
                    board.good(route.name, now, took_s, probe=probe)
                elif not (probe and board.chosen == route):  # what is really sent decides over the route in use
                    board.bad(route.name, now, fault.what)

    def _count(self, route: Route, more: Figure) -> None:
        with self._lock:
            self._figures[route.name] = self._figures[route.name].plus(more)
            self._total = self._total.plus(more)


def _moved(door: Door, sent: int, received: int, took_s: float) -> Figure:
    counted = Figure(calls=1)
    if door == "pull":
        return replace(counted, bytes_down=received)
    if door != "push":
        return counted
    counted = replace(counted, bytes_up=sent)
    if sent < BULK_BYTES:
        return counted
    return replace(counted, bulk_bytes=sent, bulk_ms=max(1, round(took_s * 1000)))
