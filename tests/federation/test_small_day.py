"""The whole road in the small size: a hub, three plants, their Level 2, the day, the judge. Real processes and sockets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

pytestmark = [pytest.mark.xdist_group("day"), pytest.mark.timeout(1_800)]

KILLED = ("HUB", "ALD", "ALD-L2", "BRK", "BRK-L2", "CLD", "CLD-L2")
FIRST_KILL, KILL_EVERY = 60, 34
"""In events of the day (about 590): fourteen kills from the pre-history to the finishing line's afternoon."""


def check(summary: dict[str, Any]) -> None:
    assert summary["content"] is True
    assert summary["lost"] == summary["doubled"] == 0
    assert summary["cases"] == {"mass open": 1, "short open": 1, "unannounced open": 1}
    assert summary["awaiting_episodes"] == 1
    assert summary["trace_depth"] >= 6
    for plant in summary["plants"].values():
        assert plant["recorded"] == plant["received"] == plant["applied"] > 0
        assert plant["content_hash"] == plant["content_hash_at_hub"]


def test_the_day_on_sqlite(played_day: Any) -> None:
    check(played_day.summary)


@pytest.mark.postgres
def test_the_day_with_the_hub_on_postgresql(start_day: Callable[..., Any], postgres_url: str) -> None:
    check(start_day("--seed", "12", "--hub-db", postgres_url).finish())


@pytest.mark.slow
def test_the_day_with_a_caster_that_tells_one_summary_a_heat(start_day: Callable[..., Any]) -> None:
    check(start_day("--seed", "13", "--caster", "summary").finish())


def test_every_process_killed_twice_in_one_day_loses_and_doubles_nothing(start_day: Callable[..., Any]) -> None:
    day = start_day("--seed", "14")
    at = FIRST_KILL
    for name in (*KILLED, *reversed(KILLED)):
        day.wait_for(lambda due=at: day.played >= due, f"event {at}")
        day.kill(name)
        at += KILL_EVERY
    check(day.finish())


@pytest.mark.slow
@pytest.mark.parametrize("name", KILLED)
def test_a_killed_process_started_again_loses_and_doubles_nothing(start_day: Callable[..., Any], name: str) -> None:
    day = start_day("--seed", "14")
    for at in (150, 300, 330, 420):
        day.wait_for(lambda due=at: day.played >= due, f"event {at}")
        day.kill(name)
    check(day.finish())


@pytest.mark.slow
@pytest.mark.postgres
def test_a_hub_on_postgresql_killed_again_and_again(start_day: Callable[..., Any], postgres_url: str) -> None:
    day = start_day("--seed", "15", "--hub-db", postgres_url)
    for at in range(100, 560, 50):
        day.wait_for(lambda due=at: day.played >= due, f"event {at}")
        day.kill("HUB")
    check(day.finish())
