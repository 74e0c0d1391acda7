"""The small size is a true subset; seeds vary the bulk and nothing that is named."""

from __future__ import annotations

from typing import Any

import pytest

from demo.scenario.day import Scenario, build
from demo.scenario.next_day import build_next

SEEDS = (1, 2, 7, 20260311)


def lines(day: Scenario, what: str) -> list[dict[str, Any]]:
    return [line for event in day.events for line in event.ledger if line["what"] == what]


def born(day: Scenario) -> dict[str, dict[str, Any]]:
    return {line["piece"]: line for line in lines(day, "piece")}


@pytest.mark.parametrize("seed", SEEDS)
def test_small_is_a_subset_with_everything_that_is_named(seed: int) -> None:
    small, full = build(seed, "small"), build(seed)
    for piece in ("G6-03128-C", "261604-2-3", "161843-1-2", "B6-10379", "B6-10375", "161739-1-3"):
        assert piece in born(small)
    standards = [line | {"at": 0} for line in lines(full, "standard")]
    assert all(line | {"at": 0} in standards for line in lines(small, "standard"))  # a full day has the library too
    for what in ("case", "wan", "position"):
        assert [line | {"at": 0} for line in lines(small, what)] == [line | {"at": 0} for line in lines(full, what)]
    assert {line["piece"] for line in lines(small, "released")} == {line["piece"] for line in lines(full, "released")}
    assert len(small.events) < 700


def test_seeds_vary_the_bulk_and_never_what_is_named() -> None:
    one, two = born(build(1)), born(build(2))
    assert one.keys() == two.keys()
    assert (
        one["B6-10700"]["true_g"] != two["B6-10700"]["true_g"] or one["B6-10701"]["true_g"] != two["B6-10701"]["true_g"]
    )
    for named in ("G6-03128-A", "B6-09962", "261604-2-3", "B6-10379", "161738-1-1"):
        assert one[named] == two[named]
    assert build(3).events == build(3).events


@pytest.mark.parametrize("day", [1, 2, 40])
def test_the_next_day_uses_no_number_of_the_day_before_and_no_piece_before_it_is_there(day: int) -> None:
    today, before = (
        build_next(1, day, "full", "strand"),
        build_next(1, day - 1, "full", "strand") if day > 1 else build(1),
    )
    assert today.events[0].at_ms >= before.events[-1].at_ms
    there = {line["piece"] for line in lines(before, "shipped") if line["on_board"]}
    old = set(there)
    gone: set[str] = set()
    for event in today.events:
        for line in event.ledger:
            if line["what"] == "piece":
                assert line["piece"] not in there
                assert all(parent["piece"] in there for parent in line["parents"])
                there.add(line["piece"])
            elif line["what"] == "consumed":
                assert line["piece"] in there - gone
                gone.add(line["piece"])
            elif line["what"] in ("shipped", "received", "scrapped", "place", "number", "mass"):
                assert line["piece"] in there
    assert not (there - old) & set(born(before))
    assert not {line["load"] for line in lines(today, "shipped")} & {line["load"] for line in lines(before, "shipped")}
    assert len(lines(today, "case")) == 3
    arrived = {line["piece"] for line in lines(today, "received")}
    waiting = {line["piece"] for line in lines(before, "shipped") if line["on_board"]} - {
        line["piece"] for line in lines(before, "received")
    }
    assert waiting
    loads = {line["load"] for line in lines(before, "shipped")}
    corrected = {event.fields["shipment"] for event in today.events if event.name.endswith("corrections/departure")}
    assert len(corrected) == 2
    assert corrected <= loads
    assert waiting <= arrived
    assert [event.fields["piece"] for event in today.events if event.via == "resolve"] == [
        piece for kind in ("unannounced", "short", "mass") for piece in (case_of(before, kind),)
    ]


def case_of(day: Scenario, kind: str) -> str:
    return next(str(line["piece"]) for line in lines(day, "case") if line["kind"] == kind)
