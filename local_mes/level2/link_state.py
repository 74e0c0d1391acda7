"""What is known of a link now: kept in memory by its connection, written to the spool every second for all to see."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import Connection, Engine, select

from local_mes.level2.offsets import ClockOffset
from local_mes.level2.spool_tables import link_state
from shared.clock import Clock, SystemClock
from shared.db.engine import read
from shared.db.upsert import upsert

AWAY, CONNECTED, NO_DATA = "away", "connected", "no_data"
STOPPED = "stopped"
"""Shown for links whose collector has not been seen for COLLECTOR_AWAY_MS."""
COLLECTOR_AWAY_MS = 10_000


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

    def become(self, state: str, *, peer: str | None = None, detail: str = "") -> None:
        """Change state; a state that stays keeps its since."""
        if state != self.state or not self.since_ms:
            self.state, self.since_ms = state, self.clock.now_ms()
        self.detail = detail
        if peer is not None:
            self.peer = peer

    def stored(self, message: str, received_ms: int, *, repeated: bool) -> None:
        """A message is on disk (or was before)."""
        self.received += 1
        self.repeated += repeated
        self.last_message, self.last_message_ms = message, received_ms

    def refuse(self, why: str) -> None:
        """A telegram was answered with an error code."""
        self.refused += 1
        self.detail = why[:400]

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
    """A link's state at the start of a collector: counters and clock offset go on, the connection does not."""
    with read(engine) as conn:
        row = conn.execute(select(link_state).where(link_state.c.link == link)).first()
    if row is None:
        return LinkState(link, kind, address, clock, ClockOffset(), since_ms=clock.now_ms())
    return LinkState(
        link,
        kind,
        address,
        clock,
        ClockOffset(msgspec.json.decode(row.offsets, type=list[int])),
        since_ms=clock.now_ms(),
        last_message=row.last_message,
        last_message_ms=row.last_message_ms,
        received=row.received,
        repeated=row.repeated,
        refused=row.refused,
        gaps=row.gaps,
    )


def find_states(engine: Engine) -> dict[str, Any]:
    """Rows of all links by code, as last written."""
    with read(engine) as conn:
        return {row.link: row for row in conn.execute(select(link_state).order_by(link_state.c.link))}


def save_states(conn: Connection, rows: list[dict[str, Any]]) -> None:
    """Write the states of all links."""
    names = [column.name for column in link_state.columns if column.name != "link"]
    upsert(conn, link_state, rows, update=names)


def real_ms() -> int:
    """The machine's time: the plant's clock may stand still, a living collector does not."""
    return SystemClock().now_ms()
