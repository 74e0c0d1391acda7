"""What happens to a link, and the state it is in afterwards. Pure.

stopped     no collector runs
away        no connection: the peer is waited for, or called
connected   connected, and heard of within three heartbeats
no_data     connected, and silent for longer: not the same as an idle unit
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

AWAY, CONNECTED, NO_DATA, STOPPED = "away", "connected", "no_data", "stopped"
STATES = (AWAY, CONNECTED, NO_DATA, STOPPED)
GAP, RESTART, STRANGER, FILES = "gap", "restart", "stranger", "files"
NO_STATES = (GAP, RESTART, STRANGER, FILES)
"""Kinds of entries in a link's history that are no states: messages missing, a peer that counts anew, somebody who was
not let in, changed files that were taken over or not."""

Event = Literal["started", "opened", "heard", "silent", "closed", "ended"]
_AFTER: dict[tuple[str, Event], str] = {
    (STOPPED, "started"): AWAY,
    (AWAY, "opened"): CONNECTED,
    (CONNECTED, "opened"): CONNECTED,  # a newer connection takes the place of the old one
    (NO_DATA, "opened"): CONNECTED,
    (NO_DATA, "heard"): CONNECTED,
    (CONNECTED, "silent"): NO_DATA,
    (CONNECTED, "closed"): AWAY,
    (NO_DATA, "closed"): AWAY,
    (AWAY, "ended"): STOPPED,
    (CONNECTED, "ended"): STOPPED,
    (NO_DATA, "ended"): STOPPED,
}


def after(state: str, event: Event) -> str:
    """The state a link is in when an event has happened; one that means nothing there changes nothing."""
    return _AFTER.get((state, event), state)


@dataclass(frozen=True)
class Entry:
    """A line of a link's history: a state it came into, or a gap, and why. first, last: sequences that are missing."""

    at_ms: int
    kind: str
    why: str
    first: int | None = None
    last: int | None = None


@dataclass(frozen=True)
class Span:
    """A stretch of time in one state, for the strip on screen; to_ms None while it lasts."""

    state: str
    from_ms: int
    to_ms: int | None
    why: str


def spans(entries: list[Entry], from_ms: int, to_ms: int) -> list[Span]:
    """The states of a stretch of time, oldest first; before the first entry a link was stopped.

    entries: oldest first; the last one before from_ms says how the stretch begins.
    """
    states = [entry for entry in entries if entry.kind in STATES and entry.at_ms < to_ms]
    before = [entry for entry in states if entry.at_ms <= from_ms]
    begin = before[-1] if before else Entry(from_ms, STOPPED, "Nothing was recorded yet.")
    shown = [Entry(from_ms, begin.kind, begin.why), *(entry for entry in states if entry.at_ms > from_ms)]
    ends = [entry.at_ms for entry in shown[1:]]
    made = [Span(e.kind, e.at_ms, end, e.why) for e, end in zip(shown, [*ends, None], strict=True)]
    return [span for span in made if span.to_ms is None or span.to_ms > span.from_ms]
