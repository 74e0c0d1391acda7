"""Histories from seeds: no invariant breaks."""

from __future__ import annotations

import subprocess
import sys

import pytest

from campaign import ablation
from campaign.faults import DEEDS, draw_deeds
from campaign.history import plan, play, shrink
from campaign.invariants import INVARIANTS
from campaign.worlds import MEMORY, SQLITE

MEMORY_BLOCKS, MEMORY_SEEDS = 8, 250
SQLITE_BLOCKS, SQLITE_SEEDS = 10, 20


def broken(kind, seeds):
    outcomes = (play(kind.open_group, seed, plan(seed, kind.steps)) for seed in seeds)
    return [f"seed {outcome.seed}: {outcome.violation}" for outcome in outcomes if outcome.number]


@pytest.mark.parametrize("block", range(MEMORY_BLOCKS))
def test_histories_of_the_pure_core(block):
    assert broken(MEMORY, range(block * MEMORY_SEEDS + 1, (block + 1) * MEMORY_SEEDS + 1)) == []


@pytest.mark.parametrize("block", range(SQLITE_BLOCKS))
def test_histories_of_the_real_classes(block):
    assert broken(SQLITE, range(block * SQLITE_SEEDS + 1, (block + 1) * SQLITE_SEEDS + 1)) == []


def test_the_same_seed_is_the_same_history():
    for kind in (MEMORY, SQLITE):
        first, again = (play(kind.open_group, 5, plan(5, kind.steps)) for _ in range(2))
        assert first == again
        assert len(first.trace) >= kind.steps


def test_a_violation_is_made_short_and_keeps_its_seed():
    rule = next(rule for rule in ablation.rules_of("memory") if rule.name.startswith("own history"))
    with ablation.taken_away(rule, "memory"):
        seed = next(s for s in range(1, 50) if play(MEMORY.open_group, s, plan(s, MEMORY.steps)).number)
        outcome, steps = shrink(MEMORY.open_group, seed, plan(seed, MEMORY.steps))
        assert play(MEMORY.open_group, seed, steps) == outcome
    assert outcome.seed == seed
    assert outcome.number
    assert 0 < len(steps) <= MEMORY.steps // 2
    assert play(MEMORY.open_group, seed, steps).number == ""


def test_every_fault_comes_up_and_every_invariant_says_where_it_is_judged():
    from random import Random

    drawn = {deed for seed in range(50) for deed in draw_deeds(Random(seed), 50)}
    assert drawn | {"stop_clone"} == set(DEEDS)
    assert [i.number for i in INVARIANTS if i.check is None and not i.where] == []
    assert {i.number for i in INVARIANTS} == {f"I{n}" for n in range(1, 18)}


def test_the_command_ends_with_the_sum():
    done = subprocess.run(
        [sys.executable, "-m", "campaign", "--seeds", "1..20", "--world", "memory", "--jobs", "2"],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "20 histories, 0 violations"
