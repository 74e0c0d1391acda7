"""A departure denied by its sender and taken in by its addressee: on the desk, once, whoever spoke first."""

from __future__ import annotations

import pytest
from steel_group import HOUR, MINUTE, SteelGroup

from central_hub.transfers.cases import resolutions
from central_hub.transfers.service import reconcile
from local_mes.transfers.service import CorrectDeparture, correct_departure
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
        correct_departure(group.plants["ALD"], said)
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
