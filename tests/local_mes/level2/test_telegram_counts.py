"""The arithmetic of a peer's count and of a link's states, for any peer."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from local_mes.level2.link_course import AWAY, CONNECTED, NO_DATA, STATES, STOPPED, after
from local_mes.level2.offsets import EVERY_MS, SAMPLES, ClockOffset
from local_mes.level2.sequence_watch import SequenceWatch
from local_mes.level2.telegrams.layout import Protocol
from local_mes.level2.telegrams.times import read_claimed, write_claimed

SEEDED = settings(derandomize=True, deadline=None)


@SEEDED
@given(st.integers(1, 50), st.lists(st.booleans(), min_size=1, max_size=120), st.integers(0, 1))
def test_what_did_not_come_is_missing_and_nothing_else(start: int, comes: list[bool], first: int) -> None:
    """A peer with numbers first to 50 whose messages come in order, or not at all (never half a round in a row)."""
    rules = Protocol(sequence_first=first, sequence_last=50)
    watch = SequenceWatch(first, 50)
    number, lost, run, gaps = start, list[int](), list[int](), 0
    watch.hear(number)
    for arrives in comes:
        number = rules.next_sequence(number)
        if not arrives and len(run) < 20:
            run.append(number)
            continue
        broken = watch.hear(number)
        assert (broken.count if broken else 0) == len(run)
        if broken:
            assert (broken.first, broken.last) == (run[0], run[-1])
        gaps += len(run)
        lost += run
        run = []
    if not run:
        assert watch.seen == number
    if gaps < 40:  # before numbers come round again
        assert sorted(of(watch, first)) == sorted(lost)


def of(watch: SequenceWatch, first: int) -> list[int]:
    numbers: list[int] = []
    for begin, end in watch.missing:
        numbers += range(begin, end + 1) if begin <= end else [*range(begin, 51), *range(first, end + 1)]
    return numbers


@SEEDED
@given(st.permutations(list(range(4, 9))))
def test_missing_numbers_that_come_late_fill_their_places_in_any_order(late: list[int]) -> None:
    watch = SequenceWatch()
    for number in (1, 2, 3):
        assert watch.hear(number) is None
    broken = watch.hear(9)
    assert broken
    assert (broken.first, broken.last, broken.count) == (4, 8, 5)
    for number in late:
        assert watch.hear(number) is None
    assert watch.missing == []
    assert watch.seen == 9
    assert watch.hear(10) is None


def test_a_gap_over_the_wrap_is_filled_from_both_sides() -> None:
    watch = SequenceWatch(1, 9999, seen=9997)
    broken = watch.hear(3)
    assert broken
    assert (broken.first, broken.last, broken.count) == (9998, 2, 4)
    assert watch.hear(1) is None
    assert watch.missing == [(9998, 9999), (2, 2)]


def test_every_event_leads_to_a_state_and_a_start_only_out_of_stopped() -> None:
    for state in STATES:
        for event in ("started", "opened", "heard", "silent", "closed", "ended"):
            found = after(state, event)  # type: ignore[arg-type]
            assert found in STATES
            if state == STOPPED:
                assert found == (AWAY if event == "started" else STOPPED)
    assert after(CONNECTED, "silent") == NO_DATA
    assert after(NO_DATA, "heard") == CONNECTED
    assert after(AWAY, "heard") == AWAY  # a late word of a connection that is gone
    assert {after(state, "ended") for state in STATES} == {STOPPED}


@SEEDED
@given(st.lists(st.integers(-(10**9), 10**9), max_size=200))
def test_the_offset_is_the_median_of_the_last(differences: list[int]) -> None:
    offset = ClockOffset()
    for i, difference in enumerate(differences):
        offset.learn(i * EVERY_MS, i * EVERY_MS - difference)
    last = sorted(differences[-SAMPLES:])
    assert offset.ms == (last[(len(last) - 1) // 2] if last else 0)
    assert ClockOffset(offset.samples).ms == offset.ms


def test_what_a_peer_kept_while_it_was_away_does_not_pass_for_a_slow_clock() -> None:
    offset, now = ClockOffset(), 0
    for _ in range(SAMPLES):
        now += EVERY_MS
        offset.learn(now, now - 200)
    for i in range(1_000):  # an hour's backlog, none of it a repeat, in twenty seconds
        offset.learn(now + 20 * i, now - 3_600_000 + 3_600 * i)
    assert offset.ms == 200
    for _ in range(SAMPLES):  # a clock that was set back by an hour stays so
        now += EVERY_MS
        offset.learn(now + 30_000, now - 3_570_000)
    assert offset.ms == 3_600_000


def test_times_come_back_in_every_suppliers_way_of_writing_them() -> None:
    for form, text in {
        "YYYYMMDDhhmmssmmm": "20260311065530120",
        "YYMMDDhhmmss": "260311065530",
        "DD.MM.YYYY hh:mm:ss.mmm": "11.03.2026 06:55:30.120",
        "YYYY-MM-DDThh:mm:ss": "2026-03-11T06:55:30",
    }.items():
        assert write_claimed("20260311065530120", form)["time"] == text
        whole = "20260311065530120" if "mmm" in form else "20260311065530000"
        assert read_claimed({"time": text}, form) == whole
    assert read_claimed({"time": "noon"}, "YYMMDDhhmmss") == "noon"
    assert read_claimed({}, "YYMMDDhhmmss") == ""
