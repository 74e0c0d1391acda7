"""Histories of transfers among five plants: every case that should be there, none that should not, no kilogram gone."""

from __future__ import annotations

import pytest

from campaign.custody.people import FATES
from campaign.custody.play import play

SHORT = 12
"""First loads of a short history: some fifty pieces leave in it."""


@pytest.mark.parametrize("seed", [2, 3])
def test_a_short_history_of_transfers_ends_well(seed: int) -> None:
    played = play(seed, SHORT)
    assert played.violations == ()
    assert played.pieces > 40


@pytest.mark.slow
def test_every_fate_comes_up_and_the_same_seed_is_the_same_history() -> None:
    first, again = play(4), play(4)
    assert first == again
    assert set(first.fates) == set(FATES)
