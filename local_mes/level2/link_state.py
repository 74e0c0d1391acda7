"""What is known of a link now: kept in memory by its connection, written to the spool every second for all to see."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Any

import msgspec
from sqlalchemy import Connection, Engine, select
from sqlalchemy.dialects.sqlite import insert

from local_mes.level2.link_course import (
    AWAY,
    CONNECTED,
    GAP,
    NO_DATA,
    NO_STATES,
    RESTART,
    STOPPED,
    STRANGER,
    Entry,
    Event,
    after,
)
from local_mes.level2.offsets import ClockOffset
from local_mes.level2.sequence_watch import Break, SequenceWatch
from local_mes.level2.spool_tables import link_course, link_history, link_state, message
from shared.clock import Clock, SystemClock
from shared.db.engine import read
from shared.db.upsert import upsert

COLLECTOR_AWAY_MS = 10_000
"""A link whose collector has not been seen for so long is shown as stopped."""
TELEGRAM = "telegram"
"""Kind of the links whose peers number their messages one by one."""
STRANGER_EVERY_MS = 3_600_000
"""The same stranger is said again in the history after so long: one that tries for ever must not fill it."""
STRANGERS_MAX = 100
"""Strangers told apart; more of them are only in the link's line and in the log."""
UNSAVED_MAX = 200
"""Entries of the history kept while the spool cannot be written."""
__all__ = [
    "AWAY",
    "CONNECTED",
    "NO_DATA",
    "STOPPED",
    "LinkState",
    "find_states",
    "load_state",
    "real_ms",
    "save_states",
]


@dataclass
class LinkState:
    """One link's state; changed only by the event loop that runs the link."""

    link: str
    kind: str
    address: str
    clock: Clock
    offset: ClockOffset
    state: str = AWAY
    since_ms: int = 0
    peer: str = ""
    detail: str = ""
    last_message: str = ""
    last_message_ms: int | None = None
    received: int = 0
    repeated: int = 0
    refused: int = 0
    gaps: int = 0
    watch: SequenceWatch = field(default_factory=SequenceWatch)
    heard_to: int = 0
    unheard: list[tuple[int, int]] = field(default_factory=list)
    strangers: dict[str, int] = field(default_factory=dict)
    entries: int = 0
    """Entries of the history so far."""
    unsaved: deque[tuple[int, Entry]] = field(default_factory=lambda: deque(maxlen=UNSAVED_MAX))

    def happened(self, event: Event, why: str = "", *, peer: str | None = None) -> None:
        """Something happened to the connection; what state that leads to, link_course.py says."""
        self.become(after(self.state, event), peer=peer, detail=why)

    def become(self, state: str, *, peer: str | None = None, detail: str = "") -> None:
        """Change state; a state that stays keeps its since."""
        if state != self.state or not self.since_ms:
            self.state, self.since_ms = state, self.clock.now_ms()
            self.note(Entry(self.since_ms, state, detail or f"Connected to {peer}." if peer else detail))
        self.detail = detail
        if peer is not None:
            self.peer = peer

    def stored(self, message: str, received_ms: int, *, repeated: bool) -> None:
        """A message is on disk (or was before)."""
        self.received += 1
        self.repeated += repeated
        self.last_message, self.last_message_ms = message, received_ms

    def heard(self, sequence: int, spool_id: int) -> None:
        """The number of a message that is new: what is missing before it is counted and named."""
        self.heard_to = spool_id
        broken = self.watch.hear(sequence)
        if broken:
            self.broke(broken)

    def count_from(self, first: int, last: int) -> None:
        """How the peer counts; what a killed collector stored and had no time to look at is looked at now."""
        self.watch.first, self.watch.last = first, last
        unheard, self.unheard = self.unheard, []
        for sequence, spool_id in unheard:
            self.heard(sequence, spool_id)

    def broke(self, broken: Break) -> None:
        """The peer's count did not go on."""
        self.gaps += broken.count
        self.detail = broken.why[:400]
        kind = GAP if broken.count else RESTART
        self.note(Entry(self.clock.now_ms(), kind, self.detail, broken.first, broken.last))

    def note(self, entry: Entry) -> None:
        """A line of the link's history."""
        self.entries += 1
        self.unsaved.append((self.entries, entry))

    def saved(self, entries: int) -> None:
        """The history is on disk up to there."""
        while self.unsaved and self.unsaved[0][0] <= entries:
            self.unsaved.popleft()

    def refuse(self, why: str) -> None:
        """A telegram was answered with an error code."""
        self.refused += 1
        self.detail = why[:400]

    def stranger(self, host: str, why: str) -> None:
        """Somebody who may not connect wanted to: in the link's line always, in its history once an hour."""
        now = self.clock.now_ms()
        self.detail = why[:400]
        recent = {one: at for one, at in self.strangers.items() if now - at < STRANGER_EVERY_MS}
        self.strangers = recent
        if host not in recent and len(recent) < STRANGERS_MAX:
            recent[host] = now
            self.note(Entry(now, STRANGER, self.detail))

    def course(self) -> dict[str, Any]:
        """The row of table link_course, and the lines of link_history that are not on disk yet."""
        lines = [
            {"link": self.link, "ordinal": n, "at_ms": e.at_ms, "kind": e.kind, "why": e.why}
            | {"first": e.first, "last": e.last}
            for n, e in self.unsaved
        ]
        return {
            "link": self.link,
            "seen_ms": self.clock.now_ms(),
            "entries": self.entries,
            "spool_id": self.heard_to,
            "sequence": self.watch.seen,
            "missing": msgspec.json.encode(self.watch.missing).decode(),
            "lines": lines,
        }

    def row(self, seen_real_ms: int) -> dict[str, Any]:
        """The row of table link_state."""
        return {
            "link": self.link,
            "kind": self.kind,
            "address": self.address,
            "state": self.state,
            "since_ms": self.since_ms,
            "peer": self.peer,
            "detail": self.detail,
            "last_message": self.last_message,
            "last_message_ms": self.last_message_ms,
            "received": self.received,
            "repeated": self.repeated,
            "refused": self.refused,
            "gaps": self.gaps,
            "offset_ms": self.offset.ms,
            "offsets": msgspec.json.encode(self.offset.samples).decode(),
            "seen_real_ms": seen_real_ms,
        }


def load_state(engine: Engine, link: str, kind: str, address: str, clock: Clock) -> LinkState:
    """A link's state at the start of a collector: counters and clock offset go on, the connection does not.

    A collector that was killed could not write that it ended: its successor does, at the time it was last there.
    """
    with read(engine) as conn:
        row = conn.execute(select(link_state).where(link_state.c.link == link)).first()
        course = conn.execute(select(link_course).where(link_course.c.link == link)).first()
        unheard = _find_unheard(conn, link, course.spool_id if course else None) if kind == TELEGRAM else []
    made = LinkState(link, kind, address, clock, ClockOffset(), state=STOPPED, since_ms=clock.now_ms())
    made.unheard = unheard
    if row is not None:
        made.offset = ClockOffset(msgspec.json.decode(row.offsets, type=list[int]))
        made.last_message, made.last_message_ms = row.last_message, row.last_message_ms
        made.received, made.repeated, made.refused, made.gaps = row.received, row.repeated, row.refused, row.gaps
    if course is not None:
        made.entries, made.heard_to = course.entries, course.spool_id
        made.watch.seen = course.sequence
        made.watch.missing = msgspec.json.decode(course.missing, type=list[tuple[int, int]])
        if row is not None and row.state != STOPPED:
            made.note(Entry(course.seen_ms, STOPPED, "The collector ended without saying so."))
    made.happened("started", "The collector has started.")
    return made


def _find_unheard(conn: Connection, link: str, after: int | None) -> list[tuple[int, int]]:
    """Numbers of the messages behind the last one looked at; of a spool that was never looked at the newest."""
    c = message.c
    query = select(c.sequence, c.spool_id).where(c.link == link)
    if after is None:
        return [(row.sequence, row.spool_id) for row in conn.execute(query.order_by(c.ordinal.desc()).limit(1))]
    behind = query.where(c.spool_id > after).order_by(c.spool_id)
    return [(row.sequence, row.spool_id) for row in conn.execute(behind)]


def find_states(engine: Engine) -> dict[str, Any]:
    """Rows of all links by code, as last written."""
    with read(engine) as conn:
        return {row.link: row for row in conn.execute(select(link_state).order_by(link_state.c.link))}


def save_states(conn: Connection, rows: list[dict[str, Any]], courses: list[dict[str, Any]] | None = None) -> None:
    """Write the states of all links, and what their history has to add."""
    names = [column.name for column in link_state.columns if column.name != "link"]
    upsert(conn, link_state, rows, update=names)
    lines = [line for course in courses or () for line in course["lines"]]
    if lines:
        conn.execute(insert(link_history).on_conflict_do_nothing(), lines)
    if courses:
        plain = [{name: value for name, value in course.items() if name != "lines"} for course in courses]
        upsert(conn, link_course, plain, update=["seen_ms", "entries", "spool_id", "sequence", "missing"])


def find_history(engine: Engine, link: str, from_ms: int, to_ms: int) -> list[Entry]:
    """A link's history of a stretch of time, oldest first, and before it the state in which the stretch begins."""
    c = link_history.c
    with read(engine) as conn:
        first = conn.execute(
            select(c.ordinal)
            .where(c.link == link, c.at_ms <= from_ms, c.kind.not_in(NO_STATES))
            .order_by(c.ordinal.desc())
            .limit(1)
        ).scalar()
        rows = conn.execute(
            select(link_history).where(c.link == link, c.ordinal >= (first or 0), c.at_ms < to_ms).order_by(c.ordinal)
        ).all()
    return [Entry(r.at_ms, r.kind, r.why, r.first, r.last) for r in rows]


def real_ms() -> int:
    """The machine's time: the plant's clock may stand still, a living collector does not."""
    return SystemClock().now_ms()
