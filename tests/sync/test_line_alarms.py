"""When a line or a clock needs a person, and how long that stands: rules by themselves, then as incidents."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, select

from shared.clock import FixedClock
from shared.db.engine import read, write
from shared.errors import NotFound, Refused
from shared.settings import SyncSettings
from sync import incidents
from sync.alarms import Standing, judge, keep
from sync.peers import open_incident
from sync.tables import incident

NOW_MS = 1_773_205_200_000
MINUTE, HOUR = 60_000, 3_600_000
SYNC = SyncSettings.model_validate({})
YEARS_10 = 10 * 365 * 24 * HOUR


def standing(**changes: object) -> Standing:
    values = {
        "peer": "HUB",
        "state": "online",
        "waiting": 0,
        "oldest_ms": None,
        "last_contact_ms": NOW_MS,
        "offset_ms": 0,
    }
    return Standing(**{**values, **changes})  # type: ignore[arg-type]


def kinds(at: Standing) -> list[tuple[str, str]]:
    return [(alarm.kind, alarm.level) for alarm in judge(NOW_MS, at, SYNC)]


def test_a_line_in_order_gives_no_cause() -> None:
    assert kinds(standing()) == []
    assert kinds(standing(state="never", last_contact_ms=None, waiting=9, oldest_ms=NOW_MS - HOUR)) == []


@pytest.mark.parametrize(
    ("state", "minutes", "expected"),
    [
        ("online", 15, []),
        ("online", 16, [("unsent", "alarm")]),
        ("busy", 16, [("unsent", "alarm")]),
        ("no_room", 16, [("unsent", "alarm")]),
        ("away", 16, []),
    ],
)
def test_facts_that_wait_are_an_alarm_only_while_the_peer_can_be_reached(
    state: str, minutes: int, expected: list[tuple[str, str]]
) -> None:
    at = standing(state=state, waiting=3, oldest_ms=NOW_MS - minutes * MINUTE)
    assert kinds(at) == expected


@pytest.mark.parametrize(
    ("hours", "expected"),
    [(1, []), (1.1, [("silent", "info")]), (72, [("silent", "info")]), (72.1, [("silent", "alarm")])],
)
def test_silence_is_told_after_an_hour_and_an_alarm_after_three_days(
    hours: float, expected: list[tuple[str, str]]
) -> None:
    assert kinds(standing(state="away", last_contact_ms=NOW_MS - round(hours * HOUR))) == expected


@pytest.mark.fault(72, 73, 74)
@pytest.mark.parametrize(
    ("offset_ms", "floor_ms", "expected"),
    [
        (119_000, 0, []),
        (-121_000, 0, [("clock", "attention")]),
        (YEARS_10, 0, [("clock", "attention")]),
        (0, NOW_MS + HOUR, [("clock", "alarm")]),
        (HOUR, NOW_MS + HOUR, [("clock", "alarm")]),
        (0, NOW_MS - HOUR, []),
    ],
)
def test_clocks_apart_are_told_and_our_own_below_a_signed_time_is_an_alarm(
    offset_ms: int, floor_ms: int, expected: list[tuple[str, str]]
) -> None:
    assert kinds(standing(offset_ms=offset_ms, floor_ms=floor_ms)) == expected


def test_an_alarm_says_what_it_saw_with_times_a_person_reads_and_any_number_it_was_given() -> None:
    (waits,) = judge(NOW_MS, standing(waiting=3, oldest_ms=NOW_MS - 16 * MINUTE), SYNC)
    assert waits.what == "HUB can be reached, but facts wait for more than 15 minutes."
    assert waits.evidence.startswith(
        "3 facts wait; the oldest was recorded 2026-03-11 04:44:00 UTC, now is 2026-03-11 05:00:00 UTC."
    )
    (ahead,) = judge(NOW_MS, standing(offset_ms=121_500), SYNC)
    assert ahead.what == "HUB's clock is ahead of the clock here by more than 120 s."
    assert ahead.evidence.startswith("Offset +121.5 s as last measured, 2026-03-11 05:00:00 UTC.")
    assert "HUB signed 9000000000000000000 ms;" in judge(NOW_MS, standing(floor_ms=9 * 10**18), SYNC)[0].evidence


def rows(engine: Engine) -> list[tuple[str, str, bool]]:
    """Kind, level, whether it still lasts; the oldest first."""
    with read(engine) as conn:
        found = conn.execute(select(incident).order_by(incident.c.incident_id))
        return [(row.kind, row.level, row.ended_ms is None) for row in found]


def test_a_state_is_one_incident_that_grows_and_ends_by_itself(engine: Engine, clock: FixedClock) -> None:
    contact = clock.now_ms()
    for hours, expected in ((0, []), (2, [("silent", "info", True)]), (3, [("silent", "info", True)])):
        clock.set(contact + hours * HOUR)
        keep(engine, clock, standing(state="away", last_contact_ms=contact), SYNC)
        assert rows(engine) == expected
    clock.set(contact + 80 * HOUR)
    keep(engine, clock, standing(state="away", last_contact_ms=contact), SYNC)
    assert rows(engine) == [("silent", "alarm", True)]
    keep(engine, clock, standing(last_contact_ms=clock.now_ms()), SYNC)
    assert rows(engine) == [("silent", "alarm", False)]
    later = clock.advance(5 * HOUR)
    keep(engine, clock, standing(state="away", last_contact_ms=later - 2 * HOUR), SYNC)
    assert rows(engine) == [("silent", "alarm", False), ("silent", "info", True)]


def test_a_person_acknowledges_once_with_a_note_and_a_worse_state_asks_again(engine: Engine, clock: FixedClock) -> None:
    at = standing(state="away", last_contact_ms=clock.now_ms() - 2 * HOUR)
    keep(engine, clock, at, SYNC)
    with write(engine) as conn:
        (row,) = conn.execute(select(incident)).all()
        incidents.acknowledge(conn, clock, row.incident_id, "person-1", "The digger again.")
        with pytest.raises(Refused):
            incidents.acknowledge(conn, clock, row.incident_id, "person-2", "me too")
        with pytest.raises(NotFound):
            incidents.acknowledge(conn, clock, "nothing", "person-2", "?")
        seen = incidents.find_incident(conn, row.incident_id)
        assert (seen.acknowledged_by, seen.note, seen.acknowledged_ms) == (
            "person-1",
            "The digger again.",
            clock.now_ms(),
        )
        assert incidents.count_open(conn) == {"info": 0, "attention": 0, "alarm": 0}
    clock.advance(80 * HOUR)
    keep(engine, clock, at, SYNC)
    with read(engine) as conn:
        assert [row.level for row in incidents.list_open(conn)] == ["alarm"]


def test_what_happened_once_is_noted_once_with_its_evidence_and_stays(engine: Engine, clock: FixedClock) -> None:
    with write(engine) as conn:
        for _ in range(2):
            open_incident(conn, clock, "ALD", "fork", "ALD at 7", evidence="prev 9f31, held 4c02")
    keep(engine, clock, standing(peer="ALD"), SYNC)
    with read(engine) as conn:
        (row,) = incidents.list_incidents(conn, state="open")
        assert (row.what, row.evidence, row.ended_ms) == ("ALD at 7", "prev 9f31, held 4c02", None)
        assert incidents.list_incidents(conn, state="seen") == []
