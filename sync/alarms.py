"""When a line or a clock needs a person: pure rules over how things stand, and the step that keeps incidents by them.

unsent  the line is up and facts wait longer than sync.unsent_minutes
silent  no contact for sync.silent_info_minutes (told), for sync.silent_alarm_hours (alarm)
certificate  an address shows a certificate of no authority configured here: somebody reads on the way, or it was renewed
clock   our clock is below the highest time that a peer signed, or the peer's is far from ours
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Engine

from shared.clock import Clock, to_datetime
from shared.db.engine import read, write
from shared.settings import SyncSettings
from sync import incidents
from sync.link import AWAY

MINUTE_MS, HOUR_MS = 60_000, 3_600_000
KINDS = ("unsent", "silent", "clock", "certificate")


@dataclass(frozen=True)
class Standing:
    """How one line stands now. Times in ms UTC of this node's clock, None when there was none.

    state       as in LinkReport      floor_ms   the highest time that the peer signed, 0 for none
    offset_ms   the peer's clock minus ours      certificate  why a route's certificate was refused, '' if none was
    """

    peer: str
    state: str
    waiting: int
    oldest_ms: int | None
    last_contact_ms: int | None
    offset_ms: int
    floor_ms: int = 0
    certificate: str = ""


@dataclass(frozen=True)
class Alarm:
    """What there is to say."""

    kind: str
    level: str
    what: str
    evidence: str


def judge(now_ms: int, at: Standing, sync: SyncSettings) -> list[Alarm]:
    """All alarms that the standing gives cause to."""
    found = (_unsent(now_ms, at, sync), _silent(now_ms, at, sync), _clock(now_ms, at, sync), _certificate(at))
    return [alarm for alarm in found if alarm is not None]


def keep(engine: Engine, clock: Clock, at: Standing, sync: SyncSettings) -> list[Alarm]:
    """Open what holds, end what has passed, and write only when that changed; returns what holds."""
    now = clock.now_ms()
    holds = judge(now, at, sync)
    with read(engine) as conn:
        if incidents.list_lasting(conn, at.peer, KINDS) == {alarm.kind: alarm.level for alarm in holds}:
            return holds
    with write(engine) as conn:
        for alarm in holds:
            incidents.hold(conn, clock, at.peer, alarm.kind, alarm.level, alarm.what, alarm.evidence)
        for kind in {*KINDS} - {alarm.kind for alarm in holds}:
            incidents.end(conn, at.peer, kind, now)
    return holds


def _unsent(now_ms: int, at: Standing, sync: SyncSettings) -> Alarm | None:
    limit_ms = sync.unsent_minutes * MINUTE_MS
    if at.state in (AWAY, "never") or at.oldest_ms is None or now_ms - at.oldest_ms <= limit_ms:
        return None
    return Alarm(
        "unsent",
        "alarm",
        f"{at.peer} can be reached, but facts wait for more than {sync.unsent_minutes} minutes.",
        f"{at.waiting} facts wait; the oldest was recorded {_text(at.oldest_ms)}, now is {_text(now_ms)}. "
        f"The line counts as {at.state}.",
    )


def _silent(now_ms: int, at: Standing, sync: SyncSettings) -> Alarm | None:
    if at.last_contact_ms is None:
        return None
    silent_ms = now_ms - at.last_contact_ms
    evidence = f"Last contact {_text(at.last_contact_ms)}, now {_text(now_ms)}; {at.waiting} facts wait."
    if silent_ms > sync.silent_alarm_hours * HOUR_MS:
        return Alarm("silent", "alarm", f"{at.peer}: no contact for {sync.silent_alarm_hours} hours.", evidence)
    if silent_ms > sync.silent_info_minutes * MINUTE_MS:
        return Alarm("silent", "info", f"{at.peer}: no contact for {sync.silent_info_minutes} minutes.", evidence)
    return None


def _clock(now_ms: int, at: Standing, sync: SyncSettings) -> Alarm | None:
    tolerance_ms = sync.clock_tolerance_s * 1000
    if at.floor_ms - now_ms > tolerance_ms:
        return Alarm(
            "clock",
            "alarm",
            f"The clock here is behind a time that {at.peer} has signed.",
            f"{at.peer} signed {_text(at.floor_ms)}; the clock here says {_text(now_ms)}. "
            "Facts are kept in the order in which they were recorded; their times are too early.",
        )
    if at.last_contact_ms is not None and abs(at.offset_ms) > tolerance_ms:
        word = "ahead of" if at.offset_ms > 0 else "behind"
        return Alarm(
            "clock",
            "attention",
            f"{at.peer}'s clock is {word} the clock here by more than {sync.clock_tolerance_s} s.",
            f"Offset {at.offset_ms / 1000:+,.1f} s as last measured, {_text(at.last_contact_ms)}. "
            "Facts are taken as they come; what was recorded when is judged with this offset.",
        )
    return None


def _certificate(at: Standing) -> Alarm | None:
    if not at.certificate:
        return None
    what = f"Somebody on the way to {at.peer} answers with a certificate that is not trusted here; nothing was sent."
    return Alarm("certificate", "alarm", what, at.certificate)


def _text(at_ms: int) -> str:
    try:
        return f"{to_datetime(at_ms):%Y-%m-%d %H:%M:%S} UTC"
    except (ValueError, OverflowError, OSError):
        return f"{at_ms} ms"
