"""Production days and shifts, also in the nights when the clock changes."""

from __future__ import annotations

from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

import pytest

from local_mes.model.calendar import Calendar, ShiftStart
from shared.clock import to_ms

HOUR = 3_600_000
SHIFTS = (ShiftStart("early", time(6)), ShiftStart("late", time(14)), ShiftStart("night", time(22)))
WARSAW = Calendar(ZoneInfo("Europe/Warsaw"), SHIFTS, ("A", "B", "C", "D"))


def utc(text: str) -> int:
    return to_ms(datetime.fromisoformat(text).replace(tzinfo=UTC))


@pytest.mark.parametrize(
    ("moment", "day", "shift"),
    [
        ("2026-03-11 04:59:59.999", "2026-03-10", "night"),  # 05:59:59.999 in Warsaw
        ("2026-03-11 05:00:00", "2026-03-11", "early"),
        ("2026-03-11 12:59:59", "2026-03-11", "early"),
        ("2026-03-11 13:00:00", "2026-03-11", "late"),
        ("2026-03-11 23:30:00", "2026-03-11", "night"),  # after local midnight, still that production day
        ("2026-07-01 04:00:00", "2026-07-01", "early"),  # summer time
    ],
)
def test_a_moment_has_one_production_day_and_shift(moment: str, day: str, shift: str) -> None:
    found = WARSAW.at(utc(moment))
    assert (found.production_day, found.name) == (day, shift)
    assert found.from_ms <= utc(moment) < found.to_ms


@pytest.mark.parametrize(
    ("moment", "night_hours", "day_hours"),
    [("2026-03-28 23:00", 7, 23), ("2026-10-24 23:00", 9, 25), ("2026-03-11 23:00", 8, 24)],
)
def test_a_clock_change_makes_the_night_shorter_or_longer(moment: str, night_hours: int, day_hours: int) -> None:
    night = WARSAW.at(utc(moment))
    assert night.to_ms - night.from_ms == night_hours * HOUR
    start, end = WARSAW.day_bounds(night.production_day)
    assert end - start == day_hours * HOUR


def test_shifts_follow_each_other_without_gap_and_crews_rest_a_day() -> None:
    at, end, last_ends = utc("2026-03-01 05:00"), utc("2026-04-30 05:00"), dict[str, int]()
    while at < end:
        shift = WARSAW.at(at)
        assert shift.from_ms == at
        if shift.crew in last_ends:
            assert shift.from_ms - last_ends[shift.crew] >= 23 * HOUR
        last_ends[shift.crew] = shift.to_ms
        at = shift.to_ms
    assert set(last_ends) == {"A", "B", "C", "D"}


def test_a_shift_after_midnight_belongs_to_the_day_before() -> None:
    starts = (ShiftStart("one", time(16)), ShiftStart("two", time(0)), ShiftStart("three", time(8)))
    calendar = Calendar(ZoneInfo("UTC"), starts)
    assert calendar.at(utc("2026-03-12 01:00")).production_day == "2026-03-11"
    assert calendar.shift(utc("2026-03-12 15:59")) == "three"
    assert calendar.at(utc("2026-03-12 15:59")).production_day == "2026-03-11"
    assert calendar.at(utc("2026-03-12 15:59")).crew == ""


def test_the_offset_of_the_zone_goes_into_the_envelope() -> None:
    assert [WARSAW.offset_min(utc(t)) for t in ("2026-03-11 12:00", "2026-07-11 12:00")] == [60, 120]
