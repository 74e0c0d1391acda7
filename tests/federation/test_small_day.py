"""The whole road in the small size: a hub, three plants, their Level 2, the day, the judge. Real processes and sockets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

pytestmark = [pytest.mark.xdist_group("day"), pytest.mark.timeout(400)]

KILLED = ("HUB", "ALD", "ALD-L2", "BRK", "BRK-L2", "CLD", "CLD-L2")


def check(summary: dict[str, Any]) -> None:
    assert summary["content"] is True
    assert summary["lost"] == summary["doubled"] == 0
    assert summary["cases"] == {"mass open": 1, "short open": 1, "unannounced open": 1}
    assert summary["awaiting_episodes"] == 1
    assert summary["trace_depth"] >= 6
    for plant in summary["plants"].values():
        assert plant["recorded"] == plant["received"] == plant["applied"] > 0
        assert plant["content_hash"] == plant["content_hash_at_hub"]


def test_the_day_on_sqlite(start_day: Callable[..., Any]) -> None:
    check(start_day("--seed", "11").finish())


@pytest.mark.postgres
def test_the_day_with_the_hub_on_postgresql(start_day: Callable[..., Any], postgres_url: str) -> None:
    check(start_day("--seed", "12", "--hub-db", postgres_url).finish())


def test_the_day_with_a_caster_that_tells_one_summary_a_heat(start_day: Callable[..., Any]) -> None:
    check(start_day("--seed", "13", "--caster", "summary").finish())


@pytest.mark.parametrize("name", KILLED)
def test_a_killed_process_started_again_loses_and_doubles_nothing(start_day: Callable[..., Any], name: str) -> None:
    day = start_day("--seed", "14")
    day.wait_for(lambda: day.lines("received") >= 5, "five receipts")
    day.kill(name)
    day.wait_for(lambda: day.lines("received") >= 8, "the day going on")
    day.kill(name)
    check(day.finish())
