"""Keeping the figures of lines: looked at every few seconds, written once a minute of the node's time.

At a plant the line to its hub and each route of it; at the hub the line of each plant, as the hub hears it, with what
the plant says of its own side. What was not watched (the node was off, its time was moved) is not counted at all.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from shared.db.engine import read, write
from shared.disk import look
from shared.node import Node
from sync import history
from sync.alarms import Standing, keep
from sync.certificates import SHOWN
from sync.history import LINE, Figure
from sync.link import AWAY, LinkReport, report_caller, report_link, time_floor
from sync.peers import list_peers
from sync.routed import RoutedTransport
from sync.sight import Sight
from sync.sight_door import find_sight
from sync.waiting import Waiting, read_waiting

UNWATCHED_MS = 900_000
"""A longer span between two looks was not watched."""

MINUTE_MS = 60_000


@dataclass(frozen=True)
class Look:
    """One line at one look: how it stands, and what its routes counted since the last look."""

    standing: Standing
    line: Figure
    routes: dict[str, Figure]


class Account:
    """Adds looks up and writes them: one for a node. leads: whether this is the process that does, where there are more."""

    def __init__(
        self, node: Node, look_at_lines: Callable[[], list[Look]], leads: Callable[[], bool] = lambda: True
    ) -> None:
        self._node = node
        self._leads = leads
        self._look = look_at_lines
        self._last_ms: int | None = None
        self._minute = 0
        self._pruned_ms: int | None = None
        self._sums: dict[tuple[str, str], Figure] = {}

    def step(self) -> None:
        """Look, judge, and write when a minute is over."""
        if not self._leads():
            self._last_ms = None  # another counts this span
            return
        now = self._node.clock.now_ms()
        elapsed = 0 if self._last_ms is None else now - self._last_ms
        self._last_ms = now
        watched = elapsed if 0 < elapsed <= UNWATCHED_MS else 0
        for found in self._look():
            keep(self._node.engine, self._node.clock, found.standing, self._node.settings.sync)
            self._add(found.standing.peer, LINE, _watched(found.line, watched))
            for route, figure in found.routes.items():
                self._add(found.standing.peer, route, _watched(figure, watched))
        if now // MINUTE_MS != self._minute:
            self._minute = now // MINUTE_MS
            self.write(now)

    def write(self, now_ms: int) -> None:
        """Write what was added up; drop what is old, once a day."""
        sums, self._sums = self._sums, {}
        sync = self._node.settings.sync
        with write(self._node.engine) as conn:
            for (peer, route), figure in sums.items():
                history.add(conn, peer, route, now_ms - 1, figure)
            if self._pruned_ms is None or abs(now_ms - self._pruned_ms) > history.DAY_MS:
                history.prune(conn, now_ms, sync.history_minute_days, sync.history_hour_days)
                self._pruned_ms = now_ms

    def _add(self, peer: str, route: str, figure: Figure) -> None:
        self._sums[peer, route] = self._sums.get((peer, route), Figure()).plus(figure)


def _watched(figure: Figure, watched_ms: int) -> Figure:
    """The span counts as up where the look found it up (up_ms is 1 or 0 until here)."""
    return replace(figure, watched_ms=watched_ms, up_ms=watched_ms if figure.up_ms else 0)


@dataclass(frozen=True)
class PlantLines:
    """The line of a plant to its hub."""

    node: Node
    transport: RoutedTransport

    def look(self) -> list[Look]:
        """One line for each hub, which is one."""
        node, now = self.node, self.node.clock.now_ms()
        with read(node.engine) as conn:
            peers = list_peers(conn)
            if not peers:
                return []
            line = report_link(conn, node.code, peers[0].code)
            waits, floor = read_waiting(conn, node.code, peers[0].code), time_floor(conn)
        routes = {name: figure for name, figure in self.transport.take_figures().items()}
        states = {state.route.name: state for state in self.transport.states() if state.way == "up"}
        for name, state in states.items():
            routes[name] = replace(routes[name], up_ms=int(state.state == "well"))
        chosen = next(name for name, state in states.items() if state.chosen)
        whole = Figure()
        for name, figure in routes.items():
            whole = whole.plus(figure if name == chosen else _without_latency(figure))
        whole = _with_backlog(replace(whole, up_ms=int(_is_up(line))), waits, now)
        shown = next((state.reason for state in self.transport.states() if SHOWN in state.reason), "")
        return [
            Look(
                replace(_standing(line, waits, floor), certificate=shown),
                replace(whole, disk_free_bytes=look(node.settings.folder).free),
                routes,
            )
        ]


class HubLines:
    """The lines of all plants, as the hub hears them."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._last: dict[str, Sight] = {}

    def look(self) -> list[Look]:
        """One line a plant; what a plant said counts only while it is heard."""
        node = self._node
        found = []
        with read(node.engine) as conn:
            for peer in list_peers(conn):
                stream = f"{node.code}>{peer.code}"
                line = report_caller(conn, stream, peer.code, node.settings.sync.away_after_s)
                kept = find_sight(conn, peer.code)
                found.append(self._line(line, kept.sight if kept else None))
        return found

    def _line(self, line: LinkReport, said: Sight | None) -> Look:
        now = self._node.clock.now_ms()
        free = look(self._node.settings.folder).free
        figure = Figure(up_ms=int(_is_up(line)), disk_free_bytes=free)
        waits = Waiting(0, 0, None)
        if said is not None:
            waits = Waiting(said.backlog, said.backlog_bytes, said.oldest_ms)
            figure = self._since_last(line.peer, said).plus(figure)
        known = waits if _is_up(line) else replace(waits, oldest_ms=None)
        return Look(_standing(line, known, 0), _with_backlog(figure, waits, now), {})

    def _since_last(self, peer: str, said: Sight) -> Figure:
        """What moved since the last sight of the same run of the plant, and the latency that it measured."""
        before, self._last[peer] = self._last.get(peer), said
        if before is None or said.run != before.run or said.nonce == before.nonce:
            return Figure()
        latency = next((r.latency_us for r in said.routes if r.chosen and r.way == "up"), None)
        return Figure(
            latency_sum_us=latency or 0,
            latency_count=int(latency is not None),
            latency_max_us=latency or 0,
            **{
                name: max(0, getattr(said, name) - getattr(before, name))
                for name in ("bytes_up", "bytes_down", "bulk_bytes", "bulk_ms")
            },
        )


def _is_up(line: LinkReport) -> bool:
    return line.state not in (AWAY, "never")


def _standing(line: LinkReport, waits: Waiting, floor_ms: int) -> Standing:
    return Standing(line.peer, line.state, waits.facts, waits.oldest_ms, line.last_contact_ms, line.offset_ms, floor_ms)


def _with_backlog(figure: Figure, waits: Waiting, now_ms: int) -> Figure:
    age = 0 if waits.oldest_ms is None else max(0, now_ms - waits.oldest_ms)
    return replace(figure, backlog=waits.facts, backlog_bytes=waits.bytes, oldest_age_ms=age)


def _without_latency(figure: Figure) -> Figure:
    return replace(figure, latency_sum_us=0, latency_count=0, latency_max_us=0)
