"""Cases of the fault catalogue about what is in the facts: order, poison, versions, clocks; in both worlds."""

from __future__ import annotations

import pytest

HOUR_MS = 3_600_000
YEARS_10_MS = 10 * 365 * 24 * HOUR_MS


@pytest.mark.fault(61)
def test_a_fact_that_cannot_be_read_delays_nothing_else(play):
    play.write(2)
    poison = play.plant.record_poison(play.dice)
    play.world.commit(play.plant, poison)
    play.world.poison.add(poison.fact_id)
    play.write(3)
    play.meet()
    play.hub.apply()
    assert play.hub.set_aside("ALD") == {poison.fact_id: "quarantined"}
    assert len(play.hub.applied("ALD")) == 5
    play.settle()


@pytest.mark.fault(63)
def test_what_names_another_plants_piece_before_it_came_ends_the_same(play):
    brk = play.world.sites["BRK"][0]
    play.write(1)
    pieces = play.plant.pieces()
    while len(brk.facts("BRK")) < 12:
        play.world.commit(brk, brk.record(play.dice, pieces))
    play.world.anchor(brk)
    play.meet(brk)
    play.hub.apply()
    before = play.hub.content("BRK")
    play.meet()
    play.hub.apply()
    assert play.hub.content("BRK") == before == brk.content("BRK")
    play.settle()


@pytest.mark.fault(68, 70)
def test_facts_newer_than_the_hub_are_parked_with_their_subject_and_applied_after_the_upgrade(play):
    play.hub.old = True
    play.write(1)
    newer = play.plant.record_newer(play.dice)
    play.world.commit(play.plant, newer)
    play.world.anchor(play.plant)
    play.write(6)
    play.meet()
    play.hub.apply()
    aside = play.hub.set_aside("ALD")
    assert aside[newer.fact_id] == "parked"
    assert set(aside.values()) <= {"parked", "held"}
    play.hub.upgrade()
    assert play.hub.set_aside("ALD") == {}
    assert play.hub.content("ALD") == play.plant.content("ALD")
    play.settle()


@pytest.mark.fault(72)
def test_a_clock_ten_years_ahead_promises_no_more_than_the_hubs_own_time(play):
    play.plant.set_clock(YEARS_10_MS)
    play.write(3)
    play.meet()
    assert 0 < play.hub.through("ALD") <= play.world.now_ms
    play.plant.set_clock(0)
    play.plant.boot()
    play.write(3)
    play.settle()
    times = play.plant.times("ALD")
    assert len(times) == 6
    assert min(times.values()) > play.world.now_ms


@pytest.mark.fault(73)
def test_a_clock_at_1970_takes_no_watermark_back(play):
    play.write(3)
    play.meet()
    through = play.hub.through("ALD")
    play.plant.set_clock(-play.world.now_ms)
    play.plant.boot()
    play.write(3)
    play.meet()
    assert play.hub.through("ALD") >= through
    times = sorted(play.plant.times("ALD").values())
    assert times[3] > through
    play.settle()


@pytest.mark.fault(73)
def test_a_clock_at_1970_after_a_restore_does_not_write_before_what_was_promised(play):
    play.write(3)
    backup = play.plant.save()
    play.meet()
    through = play.hub.through("ALD")
    play.plant.set_clock(-play.world.now_ms)
    play.restore(play.plant, backup)
    play.write(2)
    assert sorted(play.plant.times("ALD").values())[3] > through
    play.settle()


@pytest.mark.fault(73)
def test_a_clock_at_1970_after_a_restore_that_lacks_no_entry_keeps_what_was_promised_since(play):
    play.write(3)
    backup = play.plant.save()
    play.world.pass_time(60_000)
    play.meet()
    through = play.hub.through("ALD")
    play.plant.set_clock(-play.world.now_ms)
    play.restore(play.plant, backup)
    assert play.epochs(play.plant) == [3]
    play.write(2)
    assert sorted(play.plant.times("ALD").values())[3] > through
    play.settle()


@pytest.mark.fault(74)
def test_a_clock_that_jumps_back_an_hour_changes_no_order(play):
    play.write(3)
    play.plant.set_clock(-HOUR_MS)
    play.plant.boot()
    play.write(3)
    play.meet()
    play.hub.apply()
    times = list(play.plant.times("ALD").values())
    assert times == sorted(times)
    assert play.hub.content("ALD") == play.plant.content("ALD")
    play.settle()
