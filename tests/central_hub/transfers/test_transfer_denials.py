"""A departure denied by its sender and taken in by its addressee: on the desk, once, whoever spoke first."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from steel_group import HOUR, MINUTE, SteelGroup

from central_hub.transfers.cases import resolutions
from central_hub.transfers.service import reconcile
from central_hub.transfers.spells import Said, spells
from local_mes.transfers.service import CorrectDeparture, correct_departure
from shared.clock import FixedClock
from shared.db.engine import read
from shared.transfers.case_queries import find_cases


def kinds(group: SteelGroup) -> list[str]:
    with read(group.hub.node.engine) as conn:
        return sorted(row.kind for row in find_cases(conn))


@pytest.mark.parametrize("denied_first", [True, False])
@pytest.mark.fault(108)
def test_a_piece_that_never_left_and_yet_came_does_not_live_twice_in_silence(
    group: SteelGroup, denied_first: bool
) -> None:
    group.stock("ALD", "161738-1-1", 20_558)
    group.ship("ALD", "BRK", "RT-1", ["161738-1-1"])
    group.pass_time(9 * HOUR)
    group.sync()

    def deny() -> None:
        said = CorrectDeparture(group.command(), "p1", "RT-1", "161738-1-1", "did_not_occur", "it lies in row 3")
        correct_departure(
            group.plants["ALD"], replace(said, contradicts=not denied_first)
        )  # told of the receipt, or not
        group.pass_time(MINUTE)

    def take_in() -> None:
        group.receive("BRK", "161738-1-1", 20_600, "RT-1")
        group.pass_time(MINUTE)

    first, second = (deny, take_in) if denied_first else (take_in, deny)
    first()
    if not denied_first:
        group.sync()  # the receipt was judged long before anybody denied anything
        assert kinds(group) == []
    second()
    group.sync()
    group.pass_time(HOUR)
    group.sync()
    assert kinds(group) == ["contested"]
    assert reconcile(group.hub).judged == 0
    assert "did_leave" in resolutions("contested")


def test_a_line_taken_back_and_declared_again_later_is_judged_again(group: SteelGroup) -> None:
    group.stock("ALD", "161738-1-1", 20_558)
    group.ship("ALD", "BRK", "RT-1", ["161738-1-1"])
    ald = group.plants["ALD"]
    correct_departure(ald, CorrectDeparture(group.command(), "p1", "RT-1", "161738-1-1", "did_not_occur", "row 3"))
    group.pass_time(48 * HOUR)
    group.sync()  # judged: what never left is not missed
    assert kinds(group) == []
    correct_departure(ald, CorrectDeparture(group.command(), "p1", "RT-1", "161738-1-1", "late", "it did leave"))
    group.pass_time(HOUR)
    group.sync()
    assert kinds(group) == ["short"]
    assert reconcile(group.hub).judged == 0


def tell(group: SteelGroup, kind: str, note: str) -> None:
    said = CorrectDeparture(group.command(), "p1", "RT-1", "161738-1-1", kind, note)
    correct_departure(group.plants["ALD"], said)
    group.pass_time(MINUTE)


def opened(group: SteelGroup) -> list[tuple[str, int, str]]:
    with read(group.hub.node.engine) as conn:
        return sorted((row.kind, row.since_ms, row.case_id) for row in find_cases(conn))


def course(group: SteelGroup, heard: Callable[[], object]) -> None:
    """Left, unloaded without it, denied, declared again, denied, declared again, and still not come."""
    group.stock("ALD", "161738-1-1", 20_558)
    group.stock("ALD", "161738-1-2", 20_000)
    group.ship("ALD", "BRK", "RT-1", ["161738-1-1", "161738-1-2"])
    group.pass_time(9 * HOUR)
    heard()
    for kind, note in (("did_not_occur", "row 3"), ("late", "it did"), ("did_not_occur", "no"), ("late", "yes")):
        group.pass_time(40 * HOUR)
        heard()
        tell(group, kind, note)
    group.pass_time(80 * HOUR)


@pytest.mark.fault(90)
def test_each_departure_is_judged_the_same_when_the_hub_hears_of_all_at_once(
    group: SteelGroup, tmp_path: Path, clock: FixedClock
) -> None:
    course(group, group.sync)
    group.sync()
    piecewise = opened(group)
    assert [kind for kind, _, _ in piecewise].count("short") == 4, "three departures of the one, one of the other"

    at_once = SteelGroup(tmp_path / "other", clock, plants_of=group)
    try:
        for code in at_once.plants:
            at_once.up(code)
        assert reconcile(at_once.hub).cases == len(piecewise)
        assert opened(at_once) == piecewise
        assert reconcile(at_once.hub).judged == 0
    finally:
        at_once.close()


@pytest.mark.parametrize(
    ("lates", "denials", "withdrawn", "found"),
    [
        ("", "2", True, ["1-2"]),
        ("3", "2", False, ["1-2"]),
        ("3", "24", True, ["1-2", "3-4"]),
        ("35", "24", False, ["1-2", "3-4"]),
        ("2", "", False, []),  # never on the list, declared late
        ("2", "3", True, ["2-3"]),
        ("24", "3", False, ["2-3"]),
        ("24", "35", True, ["2-3", "4-5"]),
    ],
)
def test_which_departures_were_taken_back_follows_from_what_was_said(
    lates: str, denials: str, withdrawn: bool, found: list[str]
) -> None:
    told = [[Said(int(at), f"f{at}") for at in ats] for ats in (lates, denials)]
    pairs = spells(Said(1, "load"), *told, withdrawn)
    assert [f"{start.at_ms}-{end.at_ms}" for start, end in pairs] == found
