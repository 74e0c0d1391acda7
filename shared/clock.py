"""The one door for time. All times are integers: milliseconds since 1970-01-01T00:00Z."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import msgspec

FILE_LOOK_MS = 2
"""How often a followed clock file is looked at again: short against a message on the wire, long against reading it."""


class Clock(Protocol):
    """Gives the time; nothing else in the product asks the machine."""

    def now_ms(self) -> int:
        """Milliseconds since 1970 UTC; never runs backwards within a process."""
        ...


class SystemClock:
    """The machine's clock, held monotone within the process."""

    def __init__(self) -> None:
        self._last = 0
        self._lock = threading.Lock()

    def now_ms(self) -> int:
        """Milliseconds since 1970 UTC."""
        with self._lock:
            self._last = max(self._last, time.time_ns() // 1_000_000)
            return self._last


class FixedClock:
    """Stands still until told otherwise: for tests and for replays."""

    def __init__(self, now_ms: int) -> None:
        self._now_ms = now_ms

    def now_ms(self) -> int:
        """The time last set."""
        return self._now_ms

    def set(self, now_ms: int) -> None:
        """Put the hands to now_ms."""
        self._now_ms = now_ms

    def advance(self, ms: int) -> int:
        """Move on by ms and return the new time."""
        self._now_ms += ms
        return self._now_ms


class ClockSignal(msgspec.Struct, frozen=True):
    """What a clock file says: at real_ms it was virtual_ms, running at `speed`, but never past not_after_ms."""

    real_ms: int
    virtual_ms: int
    speed: float
    not_after_ms: int


class FileClock:
    """Follows a time signal in a file, so that a whole group of processes can live in one accelerated time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._looked_ms = 0
        self._last = 0
        self._signal = msgspec.json.decode(path.read_bytes(), type=ClockSignal)

    def now_ms(self) -> int:
        """The signal's time now, monotone within the process."""
        with self._lock:
            real = time.time_ns() // 1_000_000
            if real - self._looked_ms >= FILE_LOOK_MS:
                self._signal = msgspec.json.decode(self._path.read_bytes(), type=ClockSignal)
                self._looked_ms = real
            s = self._signal
            virtual = s.virtual_ms + int((real - s.real_ms) * s.speed)
            self._last = max(self._last, min(virtual, s.not_after_ms))
            return self._last


def to_datetime(ms: int) -> datetime:
    """An aware UTC datetime, for display and calendars only."""
    return datetime.fromtimestamp(ms / 1000, tz=UTC)


def to_ms(moment: datetime) -> int:
    """Milliseconds since 1970 of an aware datetime."""
    if moment.tzinfo is None:
        raise ValueError("a datetime without a zone has no place on the time line")
    return round(moment.timestamp() * 1000)
