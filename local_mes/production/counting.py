"""Base measures and states, booked as things happen: additive, by the production day and shift of the plant's calendar.

Ratios (yield, tonnes per hour, OEE) are taken from the sums, last. Actual production time counts from piece to piece
while the line runs; a line that has said nothing for RUN_GAP_MAX_MS is not known to have run.
"""

from __future__ import annotations

from collections.abc import Mapping

from local_mes.level2.operations import Work
from local_mes.model.calendar import Calendar
from local_mes.production.in_work import find_told, tell
from shared.ids import derived_id
from shared.performance.facts import MeasureCounted, StopRecorded, UnitStateChanged

RUN_GAP_MAX_MS = 45 * 60_000
"""Longer than the slowest pace of a line (a coil each 24 min), shorter than a shift without work."""
EMPTY_GAP_MAX_MS = 15 * 60_000
"""A line that stood empty for longer than this before a piece came did not run; a shorter gap is part of its pace."""
STATES = {"RUN": "run", "DOWN": "stop", "STOP": "stop", "SETUP": "setup", "IDLE": "planned", "PLANNED": "planned"}
"""Level 2's words for a unit's state; others count as a stop, with the word as reason."""
_CLOCK = "clock"
_NOTES = {"setup": "set-up", "planned": "planned"}


def subject(work: Work, unit: str) -> str:
    """A unit as facts speak of it: unique in the group."""
    return f"{work.plant.code}.{unit}"


def count(
    work: Work, unit: str, measures: Mapping[str, int], at_ms: int | None = None, collected: str = "automatic"
) -> None:
    """Book base measures of one event at its time."""
    shift = work.plant.model.calendar.at(work.message.occurred.at_ms if at_ms is None else at_ms)
    counted = MeasureCounted(
        unit=unit,
        production_day=shift.production_day,
        shift=shift.name,
        measures={name: value for name, value in measures.items() if value},
        collected=collected,
    )
    if counted.measures:
        work.record(counted, [subject(work, unit)])


def count_run(work: Work, unit: str, states_of: str | None = None, gap_max_ms: int = RUN_GAP_MAX_MS) -> None:
    """Book the running time since the last event of the line. states_of: the unit that tells the line's state."""
    clock = find_told(work.conn, states_of or unit, _CLOCK) or {}
    now = work.message.occurred.at_ms
    since = clock.get("counted_to_ms")
    if since is not None and clock.get("state", "run") == "run" and 0 < now - since <= gap_max_ms:
        for part_from, part_to in split_by_shift(work.plant.model.calendar, since, now):
            count(work, unit, {"apt_ms": part_to - part_from}, part_from)
    if since is None or now > since:
        tell(work.conn, states_of or unit, _CLOCK, now, counted_to_ms=now)


def enter_run(work: Work, unit: str, empty: bool, states_of: str | None = None) -> None:
    """A piece enters: book the time before it as running, unless the line stood empty for long."""
    count_run(work, unit, states_of, EMPTY_GAP_MAX_MS if empty else RUN_GAP_MAX_MS)


def split_by_shift(calendar: Calendar, from_ms: int, to_ms: int) -> list[tuple[int, int]]:
    """A span cut at the shift borders."""
    parts = []
    while from_ms < to_ms:
        border = min(to_ms, calendar.at(from_ms).to_ms)
        parts.append((from_ms, border))
        from_ms = border
    return parts


def change_state(work: Work, unit: str, word: str, reason: str, counts_at: str | None = None) -> None:
    """A unit changed its state: book the run so far, close the stop that ends, keep the new state.

    counts_at: the unit whose production time follows this state, where it is another (a mill's line and its stands).
    """
    count_run(work, counts_at or unit, unit)
    now = work.message.occurred.at_ms
    clock = find_told(work.conn, unit, _CLOCK) or {}
    state = STATES.get(word.strip().upper(), "stop")
    why = reason.strip() or ("" if word.strip().upper() in STATES else word.strip())
    if (state, why) == (clock.get("state"), clock.get("reason")):
        return
    _close_stop(work, unit, clock, now)
    shift = work.plant.model.calendar.at(now)
    work.record(
        UnitStateChanged(unit=unit, state=state, reason=why, production_day=shift.production_day, shift=shift.name),
        [subject(work, unit)],
    )
    tell(work.conn, unit, _CLOCK, now, state=state, reason=why, since_ms=now)


def _close_stop(work: Work, unit: str, clock: Mapping[str, int | str], now: int) -> None:
    state, since = clock.get("state"), int(clock.get("since_ms", now))
    idle = state == "planned" and not clock.get("reason")  # no work, no reason: nothing stood still
    if state in (None, "run") or idle or since >= now:
        return
    shift = work.plant.model.calendar.at(since)
    stop_id = derived_id(since, work.plant.code, unit, since)
    work.record(
        StopRecorded(
            stop_id=stop_id,
            unit=unit,
            from_ms=since,
            to_ms=now,
            reason=str(clock.get("reason", "")),
            note=_NOTES.get(str(state), ""),
            production_day=shift.production_day,
            shift=shift.name,
        ),
        [stop_id, subject(work, unit)],
    )
    count(work, unit, {f"{state}_ms": now - since}, since)
