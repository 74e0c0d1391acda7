"""Base measures add up, states keep the youngest, stops can be corrected; the same in bulk and one by one."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import select

from shared.db.engine import read
from shared.journal.fact import Draft, Occurred, Payload
from shared.journal.journal import Journal
from shared.performance import projection
from shared.performance.facts import HandoverNoted, MeasureCounted, StopRecorded, UnitStateChanged
from shared.performance.figures import figures_of, pareto, ratio
from shared.performance.queries import (
    by_day,
    by_shift,
    changes,
    collected_manually,
    delay_ms,
    find_state,
    find_stop,
    handovers,
    production_days,
    states,
    stops,
    sums,
)
from shared.performance.tables import state_change

DAY, NEXT = "2026-03-11", "2026-03-12"


@pytest.fixture
def journal(make_journal: Callable[..., Journal]) -> Journal:
    return make_journal("BRK", projection.register)


def say(journal: Journal, *payloads: Payload, at_ms: int = 1_000) -> None:
    with journal.work() as tx:
        for payload in payloads:
            tx.record(Draft(payload, ("BRK.FM",), "p1", Occurred(at_ms, "test")))


def counted(
    measures: dict[str, int], day: str = DAY, shift: str = "early", unit: str = "FM", collected: str = "automatic"
) -> MeasureCounted:
    return MeasureCounted(unit=unit, production_day=day, shift=shift, measures=measures, collected=collected)


def stopped(stop_id: str, reason: str, to_ms: int = 5_000, shift: str = "early") -> StopRecorded:
    return StopRecorded(
        stop_id=stop_id * 32,
        unit="LINE",
        from_ms=1_000,
        to_ms=to_ms,
        reason=reason,
        note="",
        production_day=DAY,
        shift=shift,
    )


def test_measures_add_up_by_unit_day_shift_and_way_of_collecting(journal: Journal) -> None:
    say(journal, counted({"good_g": 100, "pieces": 1}), counted({"good_g": 50, "pieces": 1}), at_ms=1_000)
    say(
        journal,
        counted({"good_g": 7}, shift="late"),
        counted({"good_g": 1}, day=NEXT),
        counted({"good_g": 9}, unit="R1"),
    )
    say(journal, counted({"good_g": 3, "pieces": 1}, collected="manual"), at_ms=9_000)
    with read(journal.engine) as conn:
        assert sums(conn, days=[DAY]) == {("BRK", "FM"): {"good_g": 160, "pieces": 3}, ("BRK", "R1"): {"good_g": 9}}
        assert sums(conn, author="BRK", unit="FM", days=[DAY], shift="late") == {("BRK", "FM"): {"good_g": 7}}
        assert sums(conn, author="CLD") == {}
        assert sums(conn, unit="FM")["BRK", "FM"]["good_g"] == 161
        assert by_day(conn, "BRK", "FM", DAY, NEXT) == {DAY: {"good_g": 160, "pieces": 3}, NEXT: {"good_g": 1}}
        assert production_days(conn, "BRK") == [NEXT, DAY]
        assert collected_manually(conn, "BRK", "FM", [DAY]) == 2
        early = [r for r in by_shift(conn, "BRK", DAY) if (r.unit, r.shift, r.measure) == ("FM", "early", "good_g")]
    assert [(r.collected, r.total, r.events) for r in early] == [("automatic", 150, 2), ("manual", 3, 1)]


def test_the_youngest_state_stands_and_all_are_kept(journal: Journal) -> None:
    for at_ms, state in ((5_000, "run"), (9_000, "stop"), (7_000, "setup")):
        said = UnitStateChanged(unit="LINE", state=state, reason="r", production_day=DAY, shift="early")
        say(journal, said, at_ms=at_ms)
    with read(journal.engine) as conn:
        now = find_state(conn, "BRK", "LINE")
        assert now is not None
        assert (now.state, now.since_ms) == ("stop", 9_000)
        assert [r.state for r in changes(conn, "BRK", "LINE", 0, 10_000)] == ["run", "setup", "stop"]
        assert [r.unit for r in states(conn)] == ["LINE"]
        assert len(conn.execute(select(state_change)).all()) == 3


def test_a_stop_is_corrected_under_its_id(journal: Journal) -> None:
    say(journal, stopped("a", ""), stopped("b", "ME-TAB", 2_000, "late"))
    say(journal, stopped("a", "OP-COB", 6_000))
    with read(journal.engine) as conn:
        assert delay_ms(conn) == {("BRK", "LINE"): {"OP-COB": 5_000, "ME-TAB": 1_000}}
        assert delay_ms(conn, shift="late") == {("BRK", "LINE"): {"ME-TAB": 1_000}}
        assert [r.reason for r in stops(conn, author="BRK", unit="LINE", days=[DAY])] == ["OP-COB", "ME-TAB"]
        assert find_stop(conn, "BRK", "a" * 32) is not None
        assert find_stop(conn, "CLD", "a" * 32) is None


def test_notes_come_youngest_first(journal: Journal) -> None:
    say(journal, HandoverNoted(production_day=DAY, shift="early", text="F4 roll"), at_ms=1_000)
    say(journal, HandoverNoted(production_day=DAY, shift="late", text="no news"), at_ms=2_000)
    with read(journal.engine) as conn:
        assert [r.text for r in handovers(conn, "BRK")] == ["no news", "F4 roll"]


def test_ratios_are_taken_last_and_missing_is_not_zero() -> None:
    found = figures_of({"charged_g": 19_625_000, "good_g": 20_429_000, "prime_g": 0, "apt_ms": 1_440_000, "pieces": 1})
    assert found.yield_ppm == 1_040_968
    assert found.prime_yield_ppm == 0
    assert found.good_g_per_h == 51_072_500
    nothing = figures_of({"scrap_g": 5})
    assert (nothing.yield_ppm, nothing.good_g_per_h, nothing.good_g, nothing.scrap_g) == (None, None, None, 5)
    caster = figures_of({"to_tundish_g": 1_000, "tapped_g": 2_000, "good_g": 979})
    assert (caster.input_g, caster.yield_ppm) == (1_000, 979_000)


def test_pareto_puts_the_longest_first() -> None:
    ordered = [("OP-COB", 22, 550_000), ("EL", 9, 225_000), ("ME-TAB", 9, 225_000)]
    assert pareto({"ME-TAB": 9, "OP-COB": 22, "EL": 9}) == ordered
    assert pareto({}) == []
    assert ratio(1, 0) is None
