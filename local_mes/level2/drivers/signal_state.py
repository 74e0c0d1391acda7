"""How each signal of a link does: has it a value, since when, from what time is the last one that was stored.

One bad signal is a matter of that signal. "No data" is a state of its own: neither an old value nor a zero.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import Connection, Engine, delete, select

from local_mes.level2.drivers.desk import Desk, Job
from local_mes.level2.drivers.port import Heard
from local_mes.level2.spool_tables import signal_state
from shared.db.engine import read
from shared.db.upsert import upsert

NO_DATA, REFUSED, GOOD, UNCERTAIN = "no_data", "refused", "good", "uncertain"
VALUE_CHARS = 200
STATE = ("state", "since_ms", "reason")


@dataclass
class SignalState:
    """One signal now.

    value    the last good one as JSON, shortened; it stays while there is no data
    claimed  the peer's time of the last change heard, ISO; stored the digest of the last one kept; empty before the first
    """

    signal: str
    source: str
    state: str = NO_DATA
    since_ms: int = 0
    reason: str = "not heard yet"
    value: str = ""
    claimed: str = ""
    stored: str = ""

    @property
    def is_low(self) -> bool:
        """Known, and neither true nor above zero: from here it can rise."""
        return self.value in ("false", "0", "0.0", "null", '""')


class SignalBoard:
    """All signals of one link; kept over restarts."""

    def __init__(self, desk: Desk, sources: dict[str, str]) -> None:
        known = {row.signal: row for row in find_signals(desk.spool, desk.link.code)}
        self._desk = desk
        self.states = {
            name: SignalState(name, source, since_ms=desk.clock.now_ms(), **_kept(known.get(name)))
            for name, source in sources.items()
        }

    async def begin(self) -> None:
        """Show what there is, forget signals that the model names no more."""
        gone = signal_state.c.signal.not_in(list(self.states)) & (signal_state.c.link == self._desk.link.code)
        await self._desk.write(lambda conn: conn.execute(delete(signal_state).where(gone)))
        await self._desk.write(self._saving(self.states.values(), ("source", *STATE)))

    def told(self, name: str, state: str, reason: str = "", value: Any = None) -> Job:
        """A signal's new state, as a write."""
        self.note(name, state, reason, value)
        return self._saving([self.states[name]], (*STATE, "value"))

    def note(self, name: str, state: str, reason: str = "", value: Any = None) -> None:
        """The same, to be saved by and by; the link's line follows where the state is another one."""
        one = self.states[name]
        if state in (GOOD, UNCERTAIN):
            one.value = msgspec.json.encode(value).decode()[:VALUE_CHARS]
        if (one.state, one.reason) == (state, reason):
            return
        if one.state != state:
            one.state, one.since_ms = state, self._desk.clock.now_ms()
        one.reason = reason
        self._say()

    def stored(self, heard: Heard) -> Job:
        """A change goes to the spool: the write that belongs beside it, in the same commit."""
        self.keeps(heard, digest_of(heard))
        return self.saving([heard.message])

    def keeps(self, heard: Heard, digest: str) -> None:
        """A change goes to the spool; what belongs beside it is saved with others."""
        one = self.states[heard.message]
        one.claimed, one.stored = heard.claimed or one.claimed, digest

    def saving(self, names: Iterable[str]) -> Job:
        """All there is to say of some signals, as it is now."""
        return self._saving([self.states[name] for name in names], (*STATE, "value", "claimed", "stored"))

    async def all_lost(self, why: str) -> None:
        """The connection is gone: nobody knows any value. What was last stored stays as the disk has it."""
        for name, one in self.states.items():
            if one.state != REFUSED:
                self.told(name, NO_DATA, why)
        await self._desk.write(self._saving(self.states.values(), STATE))

    def _say(self) -> None:
        """The link's own line names who is bad; a link of which nothing is good has no data."""
        bad = [one for one in self.states.values() if one.state in (NO_DATA, REFUSED)]
        text = "; ".join(f"{one.signal} ({one.source}): {one.reason}" for one in bad[:5])
        more = f" and {len(bad) - 5} more" if len(bad) > 5 else ""
        if bad and len(bad) == len(self.states):
            self._desk.no_data(f"No data from any signal: {text}{more}")
        elif self._desk.is_up.is_set():
            self._desk.connected(self._desk.link.address, f"No data from {text}{more}"[:400] if bad else "")

    def _saving(self, states: Iterable[SignalState], columns: tuple[str, ...]) -> Job:
        rows = [
            {
                "link": self._desk.link.code,
                "signal": one.signal,
                "source": one.source,
                "state": one.state,
                "since_ms": one.since_ms,
                "reason": one.reason,
                "value": one.value,
                "claimed": one.claimed,
                "stored": one.stored,
            }
            for one in states
        ]

        def save(conn: Connection) -> None:
            if rows:
                upsert(conn, signal_state, rows, update=list(columns))

        return save


def digest_of(heard: Heard) -> str:
    """Names a change: the same one told again has the same."""
    return hashlib.sha256(heard.raw).hexdigest()[:32]


def _kept(row: Any) -> dict[str, str]:
    return {} if row is None else {"value": row.value, "claimed": row.claimed, "stored": row.stored}


def find_signals(spool: Engine, link: str = "") -> list[Any]:
    """Rows of all signals, or of one link's, by name."""
    query = select(signal_state).order_by(signal_state.c.link, signal_state.c.signal)
    if link:
        query = query.where(signal_state.c.link == link)
    with read(spool) as conn:
        return list(conn.execute(query))
