"""Histories of transfers among five plants: every case that should be there, none that should not, no kilogram gone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from campaign.custody import commands, people
from campaign.custody.people import FATES
from campaign.custody.play import play
from campaign.custody.year import play_year
from central_hub.transfers import replay_domain
from central_hub.transfers.domain import Sight
from local_mes.transfers import matching, receiving
from local_mes.transfers.service import receive

TURNING = 3
SHORT = 8
"""First loads of a short history: some thirty pieces leave in it."""


def test_a_short_history_of_transfers_ends_well() -> None:
    played = play(2, SHORT)
    assert played.violations == ()
    assert played.pieces > 20


@pytest.mark.slow
def test_every_fate_comes_up_and_the_same_seed_is_the_same_history() -> None:
    first, again = play(4), play(4)
    assert first == again
    assert set(first.fates) == set(FATES)


def test_plants_that_are_away_for_days_make_no_false_case_and_hide_no_loss() -> None:
    found = play_year(1)
    assert found.false == 0
    assert found.lost_found == found.lost > 50
    assert found.unlisted_found == found.unlisted > 50
    assert 5 < found.mean_delay_h < 72, "about as long as the lines are cut"


def test_without_watermarks_the_same_year_is_full_of_false_cases(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Sight, "sees", lambda _sight, _plant, _until_ms: True)
    assert play_year(1, 500).false > 50


@pytest.fixture
def turning_back(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Histories in which nearly every piece leaves a second time before anybody took it in."""
    monkeypatch.setattr(people, "draw_fate", lambda _world: "turns_back")
    return monkeypatch


@pytest.mark.slow
def test_where_nobody_looks_at_custody_numbers_the_history_ends_badly(turning_back: pytest.MonkeyPatch) -> None:
    for where in (receiving, replay_domain):
        turning_back.setattr(where, "fence", lambda _cited, _lines_no: "ok")
    for where in (receiving, matching):
        turning_back.setattr(where, "departure_in_force", lambda _conn, _material_id: 0)
    turning_back.setattr(commands, "receive", lambda plant, said: receive(plant, replace(said, custody_no=0)))
    assert play(TURNING, 5).violations


@pytest.mark.slow
@pytest.mark.usefixtures("turning_back")
def test_the_same_history_with_every_rule_ends_well() -> None:
    assert play(TURNING, 5).violations == ()


@pytest.mark.slow
def test_without_watermarks_the_history_ends_badly(turning_back: pytest.MonkeyPatch) -> None:
    turning_back.setattr(Sight, "sees", lambda _sight, _plant, _until_ms: True)
    assert any("false case: short" in line for line in play(TURNING, 5).violations)
