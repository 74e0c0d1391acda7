"""How a line did, kept by the minute and by the hour: both are written at once, so nothing has to be rolled up later.

A span that has no row was not watched: the node did not run, or its time was moved. It counts neither as up nor down.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import Connection, delete, select

from shared.db.upsert import upsert
from sync.tables import figure

MINUTE_S, HOUR_S = 60, 3600
GRAINS = (MINUTE_S, HOUR_S)
DAY_MS = 86_400_000
LINE = ""
"""The route of the figures of a line as a whole."""

HIGHEST = ("latency_max_us", "backlog", "backlog_bytes", "oldest_age_ms")
"""Columns that keep the highest of their span."""
LEAST = ("disk_free_bytes",)
"""Columns that keep the least of their span, where 0 is not looked at; all others are sums."""


@dataclass(frozen=True)
class Figure:
    """A line, or one route of it, over a span.

    watched_ms, up_ms  how long it was looked at, and how long of that it was up
    calls, failed      exchanges over a route, and those without an answer of the peer
    latency_*          of the measuring calls, microseconds
    bytes_up, _down    acknowledged by the peer, and received from it, as they were on the wire
    bulk_*             of large batches only: they show what the line carries
    backlog*           facts and bytes that the peer did not hold; oldest_age_ms the age of the first of them
    disk_free_bytes    of the node that keeps the figures
    """

    watched_ms: int = 0
    up_ms: int = 0
    calls: int = 0
    failed: int = 0
    latency_sum_us: int = 0
    latency_count: int = 0
    latency_max_us: int = 0
    bytes_up: int = 0
    bytes_down: int = 0
    bulk_bytes: int = 0
    bulk_ms: int = 0
    backlog: int = 0
    backlog_bytes: int = 0
    oldest_age_ms: int = 0
    disk_free_bytes: int = 0

    def plus(self, other: Figure) -> Figure:
        """Both together."""
        return Figure(**{name: _both(name, value, getattr(other, name)) for name, value in vars(self).items()})

    @property
    def uptime_ppm(self) -> int | None:
        """Share of the watched time that the line was up; None when it was not watched."""
        return self.up_ms * 1_000_000 // self.watched_ms if self.watched_ms else None

    @property
    def latency_ms(self) -> float | None:
        """Mean round trip; None when none was measured."""
        return self.latency_sum_us / self.latency_count / 1000 if self.latency_count else None

    @property
    def kbit_s(self) -> float | None:
        """What the line carried while large batches went over it; None when none did."""
        return self.bulk_bytes * 8 / self.bulk_ms if self.bulk_ms else None


def _both(name: str, mine: int, its: int) -> int:
    if name in HIGHEST:
        return max(mine, its)
    if name in LEAST:
        return min(mine, its) if mine and its else mine or its
    return mine + its


NAMES = tuple(field.name for field in fields(Figure))


@dataclass(frozen=True)
class Span:
    """One row: a figure and when its span began."""

    from_ms: int
    figure: Figure


def add(conn: Connection, peer: str, route: str, at_ms: int, more: Figure) -> None:
    """Add to the minute and to the hour in which at_ms lies. The caller is the only writer."""
    for grain_s in GRAINS:
        from_ms = at_ms - at_ms % (grain_s * 1000)
        key = {"peer": peer, "route": route, "grain_s": grain_s, "from_ms": from_ms}
        row = conn.execute(select(figure).filter_by(**key)).first()
        total = _of(row).plus(more) if row else more
        upsert(conn, figure, [{**key, **vars(total)}], update=NAMES)


def spans(conn: Connection, peer: str, route: str, grain_s: int, from_ms: int, to_ms: int) -> list[Span]:
    """The rows of one grain that began within from_ms..to_ms, oldest first."""
    query = (
        select(figure)
        .where(figure.c.peer == peer, figure.c.route == route, figure.c.grain_s == grain_s)
        .where(figure.c.from_ms >= from_ms, figure.c.from_ms < to_ms)
        .order_by(figure.c.from_ms)
    )
    return [Span(row.from_ms, _of(row)) for row in conn.execute(query)]


def total(rows: list[Span]) -> Figure:
    """All spans together."""
    together = Figure()
    for row in rows:
        together = together.plus(row.figure)
    return together


def prune(conn: Connection, now_ms: int, minute_days: int, hour_days: int) -> None:
    """Drop what is older than it is kept."""
    for grain_s, days in ((MINUTE_S, minute_days), (HOUR_S, hour_days)):
        old = (figure.c.grain_s == grain_s) & (figure.c.from_ms < now_ms - days * DAY_MS)
        conn.execute(delete(figure).where(old))


def _of(row: Any) -> Figure:
    return Figure(**{name: int(getattr(row, name)) for name in NAMES})
