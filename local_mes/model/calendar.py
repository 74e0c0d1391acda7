"""The plant's calendar: production day, shift and crew of any moment, in the plant's zone.

A shift begins at its local wall-clock time and lasts until the next one begins, so a night with a clock change has
seven or nine hours and a production day 23 or 25.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from shared.clock import to_datetime, to_ms


@dataclass(frozen=True)
class ShiftStart:
    """A shift's name and the local time it begins at."""

    name: str
    start: time


@dataclass(frozen=True)
class Shift:
    """One shift of one production day: [from_ms, to_ms), with the crew on duty (empty where the model names none)."""

    production_day: str
    name: str
    crew: str
    from_ms: int
    to_ms: int


@dataclass(frozen=True)
class Calendar:
    """Answers "which production day, which shift" for a time in ms since 1970 UTC.

    The first shift begins the production day. Crews rotate forward (a crew that had the early shift has the late one
    on the next day), so that everyone has 24 hours between two shifts.
    """

    zone: ZoneInfo
    shifts: tuple[ShiftStart, ...]
    crews: tuple[str, ...] = ()

    def production_day(self, at_ms: int) -> str:
        """ISO date of the production day: the local date on which its first shift began."""
        return self.at(at_ms).production_day

    def shift(self, at_ms: int) -> str:
        """Name of the shift."""
        return self.at(at_ms).name

    def at(self, at_ms: int) -> Shift:
        """The whole shift in which the moment lies."""
        local_date = to_datetime(at_ms).astimezone(self.zone).date()
        for day in (local_date, local_date - timedelta(days=1)):
            for index in reversed(range(len(self.shifts))):
                start = self._start_ms(day, index)
                if start <= at_ms:
                    return self._shift(day, index, start)
        raise AssertionError("the first shift of yesterday began before now")

    def day_bounds(self, production_day: str) -> tuple[int, int]:
        """First and last-exclusive millisecond of a production day."""
        day = date.fromisoformat(production_day)
        return self._start_ms(day, 0), self._start_ms(day + timedelta(days=1), 0)

    def offset_min(self, at_ms: int) -> int:
        """The zone's offset from UTC at a moment, in minutes, for the envelope of a fact."""
        offset = to_datetime(at_ms).astimezone(self.zone).utcoffset()
        return 0 if offset is None else int(offset.total_seconds()) // 60

    def _shift(self, day: date, index: int, start: int) -> Shift:
        later = index + 1
        end = self._start_ms(day, later) if later < len(self.shifts) else self._start_ms(day + timedelta(days=1), 0)
        crew = self.crews[(day.toordinal() - index) % len(self.crews)] if self.crews else ""
        return Shift(day.isoformat(), self.shifts[index].name, crew, start, end)

    def _start_ms(self, day: date, index: int) -> int:
        """A shift that begins before the day's first one (00:00 after 16:00) belongs to the next local date."""
        start = self.shifts[index].start
        if start < self.shifts[0].start:
            day += timedelta(days=1)
        return to_ms(datetime.combine(day, start, tzinfo=self.zone))
