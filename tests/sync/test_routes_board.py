"""The choice among several addresses: left after bounded failures, taken back late, faster only when clearly faster."""

from __future__ import annotations

import pytest

from sync.routes import Board, Route, Rules

WAN, LTE, SAT = Route("wan", "http://wan", 1), Route("lte", "http://lte", 2), Route("sat", "http://sat", 2)


def board(*routes: Route, failures: int = 2, hold_s: float = 60) -> Board:
    return Board(routes, Rules(failures, hold_s), 0.0)


def states(made: Board) -> dict[str, str]:
    return {health.route.name: health.state for health in made.healths()}


def test_the_first_by_priority_is_used_and_one_failure_does_not_change_that() -> None:
    made = board(LTE, WAN)
    assert made.chosen == WAN
    made.bad("wan", 1, "no answer")
    assert (made.chosen, states(made)["wan"]) == (WAN, "failing")
    made.good("wan", 2)
    made.bad("wan", 3, "no answer")
    assert made.chosen == WAN


def test_a_route_is_left_after_its_failures_in_a_row_and_says_why() -> None:
    made = board(WAN, LTE)
    made.bad("wan", 1, "no answer")
    made.bad("wan", 2, "no answer")
    assert made.chosen == LTE
    assert made.why == "wan left: 2 failures in a row. no answer"
    assert states(made) == {"wan": "left", "lte": "untried"}


def test_it_is_taken_back_only_after_it_was_well_for_the_hold_and_later_each_time_it_disappoints() -> None:
    made = board(WAN, LTE)
    at = 0.0
    for hold_s in (60, 120, 240):
        made.bad("wan", at, "no answer")
        made.bad("wan", at, "no answer")
        assert made.chosen == LTE
        made.good("wan", at + 1, probe=True)
        made.good("lte", at + hold_s)
        made.good("wan", at + hold_s, probe=True)
        assert made.chosen == LTE, f"{hold_s} s are not over"
        made.good("wan", at + hold_s + 1, probe=True)
        assert made.chosen == WAN
        assert "preferred by priority" in made.why
        at += hold_s + 2


def test_a_failure_within_the_hold_starts_it_again() -> None:
    made = board(WAN, LTE)
    for at in (0, 1):
        made.bad("wan", at, "x")
    made.good("wan", 10, probe=True)
    made.bad("wan", 60, "x")
    made.good("wan", 65, probe=True)
    made.good("wan", 100, probe=True)
    assert made.chosen == LTE
    made.good("wan", 125, probe=True)
    assert made.chosen == WAN


def test_of_equal_priority_only_a_clearly_faster_one_is_taken() -> None:
    made = board(LTE, SAT, hold_s=10)
    for at in range(0, 40, 5):
        made.good("lte", at, 0.100)
        made.good("sat", at, 0.085, probe=True)
    assert made.chosen == LTE
    for at in range(40, 80, 5):
        made.good("lte", at, 0.100)
        made.good("sat", at, 0.020, probe=True)
    assert made.chosen == SAT
    assert "sat is faster" in made.why


def test_when_all_are_dead_each_is_tried_in_turn_and_the_one_that_answers_is_kept() -> None:
    made = board(WAN, LTE, SAT)
    tried = []
    for at in range(9):
        tried.append(made.chosen.name)
        made.bad(made.chosen.name, at, "dead")
    assert set(tried[-3:]) == {"wan", "lte", "sat"}
    made.good("sat", 20, probe=True)
    while made.chosen != SAT:
        made.bad(made.chosen.name, 21, "dead")
    made.good("sat", 22)
    assert (made.chosen, made.usable) == (SAT, True)


def test_a_probe_does_not_clear_the_failures_of_the_route_in_use() -> None:
    """The address answers probes, but what is really sent does not come through: it must still be left."""
    made = board(WAN, LTE)
    made.bad("wan", 1, "large packets vanish")
    made.good("wan", 2, probe=True)
    made.bad("wan", 3, "large packets vanish")
    assert made.chosen == LTE


def test_a_route_that_did_well_for_long_is_forgiven() -> None:
    made = board(WAN, LTE, hold_s=10)
    for at in (0, 1):
        made.bad("wan", at, "x")
    for at in (2, 12):
        made.good("wan", at, probe=True)
    assert made.chosen == WAN
    made.good("wan", 200)
    for at in (201, 202):
        made.bad("wan", at, "x")
    for at in (203, 213):
        made.good("wan", at, probe=True)
    assert made.chosen == WAN


@pytest.mark.parametrize("failures", [1, 3])
def test_a_single_route_is_never_given_up(failures: int) -> None:
    made = board(WAN, failures=failures)
    for at in range(5):
        made.bad("wan", at, "x")
    assert made.chosen == WAN
    made.good("wan", 9)
    assert made.usable
