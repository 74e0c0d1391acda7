"""How the links at the edge do, for the pages of the plant that hosts it: rows that changed, told as they are."""

from __future__ import annotations

from collections.abc import Mapping
from time import monotonic
from typing import Any

import msgspec
from sqlalchemy import Connection, Engine, Table, func, select, update

from local_mes.level2.edge.facts import Level2Seen
from local_mes.level2.link_state import real_ms
from local_mes.level2.spool_tables import link_course, link_history, link_state, peer_certificate, signal_state
from local_mes.plant import Plant
from shared.db.engine import read, write
from shared.db.upsert import upsert
from shared.journal.fact import Draft, Occurred

COUNTS_EVERY_S = 30.0
"""Counters alone are told so often: every second would fill a journal with nothing."""
HISTORY_TOLD = 500
"""Lines of history told at once; the others follow."""
COUNTERS: Mapping[str, frozenset[str]] = {
    "link_state": frozenset(
        ("seen_real_ms", "received", "repeated", "last_message", "last_message_ms", "offset_ms", "offsets")
    ),
    "link_course": frozenset(("seen_ms", "spool_id", "sequence")),
    "signal_state": frozenset(("value", "claimed", "stored")),
    "peer_certificate": frozenset(),
}
TABLES: Mapping[str, Table] = {
    table.name: table for table in (link_state, link_course, signal_state, peer_certificate, link_history)
}


class Telling:
    """What was told so far in this life of the edge's process; after a start all is told once more."""

    def __init__(self, edge: Plant) -> None:
        self._edge = edge
        self._told: dict[tuple[str, ...], str] = {}
        self._lines: dict[str, int] = {}
        self._counts_due = 0.0

    def tell(self) -> bool:
        """Record the rows that changed; whether there were any."""
        with_counts = monotonic() >= self._counts_due
        found, marks = self._changed(with_counts)
        if not found:
            return False
        now = self._edge.clock.now_ms()
        payload = Level2Seen(tables=msgspec.json.encode(found).decode())
        with self._edge.journal.work() as tx:
            tx.record(Draft(payload, ("links",), "edge", Occurred(now, "edge")))
        self._told |= marks
        self._lines |= {row["link"]: row["ordinal"] for row in found.get("link_history", ())}
        if with_counts:
            self._counts_due = monotonic() + COUNTS_EVERY_S
        return True

    def _changed(self, with_counts: bool) -> tuple[dict[str, list[dict[str, Any]]], dict[tuple[str, ...], str]]:
        """Rows of which something else than a counter changed, or anything at all; and how they are told from now on."""
        found: dict[str, list[dict[str, Any]]] = {}
        marks: dict[tuple[str, ...], str] = {}
        with read(self._edge.spool) as conn:
            for name, counters in COUNTERS.items():
                for row in conn.execute(select(TABLES[name])).mappings():
                    which = (name, *(str(row[column.name]) for column in TABLES[name].primary_key))
                    plain = _text({key: value for key, value in row.items() if key not in counters})
                    mark = {which: plain, (*which, "all"): _text(dict(row))}
                    looked_at = mark if with_counts else {which: plain}
                    if any(self._told.get(key) != text for key, text in looked_at.items()):
                        marks |= mark
                        found.setdefault(name, []).append(dict(row))
            lines = self._new_lines(conn)
        if lines:
            found["link_history"] = lines
        return found, marks

    def _new_lines(self, conn: Connection) -> list[dict[str, Any]]:
        """Lines behind the last told of each link; after a start the newest are told once more."""
        c, found = link_history.c, list[dict[str, Any]]()
        ends = conn.execute(select(c.link, func.max(c.ordinal)).group_by(c.link)).all()
        for link, newest in ends:
            after = self._lines.get(link, newest - HISTORY_TOLD)
            if after < newest:
                query = select(link_history).where(c.link == link, c.ordinal > after).order_by(c.ordinal)
                found += [dict(row) for row in conn.execute(query.limit(HISTORY_TOLD)).mappings()]
        return found


def take_seen(conn: Connection, payload: Level2Seen) -> None:
    """Make the rows ours, as far as this release has their columns; a column of ours that is not told is empty."""
    for name, rows in msgspec.json.decode(payload.tables, type=dict[str, list[dict[str, Any]]]).items():
        table = TABLES.get(name)
        if table is not None and rows:
            fitted = [_fit(table, row) for row in rows]
            changing = [column.name for column in table.columns if not column.primary_key]
            upsert(conn, table, fitted, update=changing)


def keep_alive(spool: Engine) -> None:
    """The edge is there, so its collector is: a link's row that nobody refreshes is shown as stopped."""
    with write(spool) as conn:
        conn.execute(update(link_state).values(seen_real_ms=real_ms()))


def _text(row: Mapping[str, Any]) -> str:
    return msgspec.json.encode(row).decode()


def _fit(table: Table, row: Mapping[str, Any]) -> dict[str, Any]:
    empty: dict[str, Any] = {
        column.name: None if column.nullable else 0 if column.type.python_type is int else ""
        for column in table.columns
    }
    return empty | {name: value for name, value in row.items() if name in empty}
