"""What pages about a line show besides its charts: routes in one row each, and what is held by whom."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from shared.journal.position import applied_to
from shared.journal.quarantine import count_by_state
from shared.journal.reading import lives
from sync.marks import list_holdings
from sync.sight import RouteSight

INCIDENT_SIGNS = {"info": "normal", "attention": "attention", "alarm": "alarm"}


@dataclass(frozen=True)
class RouteRow:
    """One route with both ways, as its caller sees it."""

    name: str
    url: str
    priority: int
    up: RouteSight | None
    down: RouteSight | None

    @property
    def latency_ms(self) -> float | None:
        """Smoothed round trip."""
        known = [way.latency_us for way in (self.up, self.down) if way is not None and way.latency_us is not None]
        return min(known) / 1000 if known else None

    @property
    def reason(self) -> str:
        """Why it is not well."""
        return next((way.reason for way in (self.up, self.down) if way is not None and way.reason), "")


@dataclass(frozen=True)
class Held:
    """One stream: how much of it was written (as known here), how much the reader holds, how much is applied here.

    written_here  whether this node writes it; then `applied` is None
    """

    stream: str
    author: str
    reader: str
    entries: int
    held: int
    applied: int | None
    set_aside: int


def route_rows(sights: Sequence[RouteSight]) -> list[RouteRow]:
    """One row a route, in the order of preference."""
    rows: dict[str, RouteRow] = {}
    for s in sights:
        row = rows.setdefault(s.name, RouteRow(s.name, s.url, s.priority, None, None))
        rows[s.name] = RouteRow(
            s.name, s.url, s.priority, s if s.way == "up" else row.up, s if s.way == "down" else row.down
        )
    return sorted(rows.values(), key=lambda row: row.priority)


def stream_written(conn: Connection, stream: str, author: str, reader: str) -> Held:
    """A stream of this node's: what the reader says that it holds."""
    entries = sum(life.seq for life in lives(conn, stream))
    held = sum(state.seq for state in list_holdings(conn, reader, [stream]))
    return Held(stream, author, reader, entries, min(held, entries), None, 0)


def stream_received(conn: Connection, stream: str, author: str, reader: str) -> Held:
    """A stream of another node's: what is held and applied here."""
    found = lives(conn, stream)
    entries = sum(life.seq for life in found)
    applied = sum(applied_to(conn, stream, life.epoch) for life in found)
    aside = sum(count_by_state(conn, author).values()) if stream == author else 0
    return Held(stream, author, reader, entries, entries, applied, aside)
