"""Cases of the fault catalogue about restores, lives and labels, in both worlds."""

from __future__ import annotations

import pytest

from campaign import memory, store
from campaign.network import Weather
from campaign.world import Violation
from shared.journal import life
from sync import applying, recovery
from sync.errors import PeerHeld, SyncError


@pytest.mark.fault(19)
def test_a_crash_between_commit_and_anchor_opens_no_epoch(play):
    play.write(3)
    play.write(2, anchor=False)
    play.plant.boot()
    assert play.epochs(play.plant) == [5]
    play.write(1)
    play.settle()


@pytest.mark.fault(40)
def test_a_restored_database_is_seen_at_the_start_before_the_first_fact(play):
    play.write(3)
    backup = play.plant.save()
    play.write(4)
    play.meet()
    play.restore(play.plant, backup)
    assert play.epochs(play.plant) == [3, 0]
    play.write(2)
    play.meet()
    assert len(play.plant.facts("ALD")) == 9
    play.settle()
    assert play.level()


@pytest.mark.fault(40, 54)
def test_a_lost_anchor_counts_as_a_restore_also_while_the_present_epoch_is_empty(play):
    play.write(2)
    backup = play.plant.save()
    play.write(2)
    play.restore(play.plant, backup)
    backup = play.plant.save()
    assert play.epochs(play.plant) == [2, 0]
    play.write(3)
    play.restore(play.plant, backup, "no anchor")
    assert play.epochs(play.plant) == [2, 0, 0]
    play.write(2)
    play.settle()


@pytest.mark.fault(41)
def test_a_machine_rolled_back_that_writes_on_finds_its_fork_at_the_hello(play):
    play.write(3)
    backup = play.plant.save()
    play.write(4)
    play.meet()
    lost_tail = play.hub.facts("ALD")
    play.restore(play.plant, backup, "machine")
    play.write(2)
    divergent = play.plant.facts("ALD") - lost_tail
    play.meet()
    assert play.plant.facts("ALD") == lost_tail | divergent
    assert len(divergent) == 2
    play.settle()
    assert play.level()


@pytest.mark.fault(42)
def test_a_tail_that_never_left_a_machine_is_lost_by_physics_and_labels_still_jump(play):
    play.write(3)
    play.meet()
    backup = play.plant.save()
    play.write(3)
    play.restore(play.plant, backup, "machine")
    play.meet()
    assert play.epochs(play.plant) == [3]
    play.write(2)
    play.settle()
    assert play.level()


@pytest.mark.fault(43)
def test_a_plant_restored_to_before_an_epoch_takes_the_forgotten_epoch_back(play):
    play.write(2)
    oldest = play.plant.save()
    play.write(2)
    play.restore(play.plant, oldest)
    play.write(3)
    play.meet()
    epochs = [tip.epoch for tip in play.hub.tips("ALD")]
    play.restore(play.plant, oldest, "no anchor")
    assert not set(epochs) <= {tip.epoch for tip in play.plant.tips("ALD")}
    play.meet()
    assert set(epochs) <= {tip.epoch for tip in play.plant.tips("ALD")}
    play.settle()
    assert play.level()


@pytest.mark.fault(44)
def test_two_restores_in_a_row_from_different_backups_lose_nothing_that_somebody_holds(play):
    play.write(2)
    first = play.plant.save()
    play.write(2)
    second = play.plant.save()
    play.write(2)
    play.meet()
    everything = play.hub.facts("ALD")
    play.restore(play.plant, second)
    play.write(1)
    play.restore(play.plant, first)
    play.write(1)
    play.settle()
    assert everything <= play.plant.facts("ALD")
    assert play.level()


@pytest.mark.fault(41, 44)
def test_a_machine_rolled_back_to_before_a_later_epoch_brings_nothing_before_what_was_applied(play):
    write_on_in_an_epoch_that_was_followed(play, 3)
    assert [tip.seq for tip in play.hub.tips("ALD")] == [1, 2, 4]
    assert play.hub.remade("ALD") == 0
    play.settle()
    assert play.level()


@pytest.mark.parametrize("made_again", [True, False])
def test_where_an_older_release_brings_it_all_the_same_the_rows_are_made_again(play, monkeypatch, made_again):
    monkeypatch.setattr(recovery, "_followed", lambda *_: set())  # older releases looked for children only
    if not made_again:
        monkeypatch.setattr(applying, "_is_overtaken", lambda *_: False)
        monkeypatch.setattr(store.Database, "overtaken", lambda *_: False)
    write_on_in_an_epoch_that_was_followed(play, 12)
    assert [tip.seq for tip in play.hub.tips("ALD") if tip.seq] == [14, 2]
    assert play.level() is made_again
    assert play.hub.remade("ALD") == int(made_again)


def write_on_in_an_epoch_that_was_followed(play, count):
    """Rolled back to before an epoch that the hub has, and that grew from one which the hub never heard of."""
    play.write(1)
    play.meet()
    first = play.plant.save()
    play.write(count)
    longer = play.plant.save()
    play.restore(play.plant, first)
    play.restore(play.plant, play.plant.save(), "no anchor")
    play.write(2)
    play.meet()
    play.hub.apply()
    assert [tip.seq for tip in play.hub.tips("ALD")] == [1, 2]
    play.restore(play.plant, longer, "machine")
    play.write(1)
    play.meet()


@pytest.mark.fault(45, 46)
@pytest.mark.parametrize("which", ["last", "oldest"])
def test_a_hub_restored_to_a_backup_gets_everything_back(play, which):
    backups = []
    for _ in range(3):
        play.write(2)
        play.meet()
        play.hub.apply()
        backups.append(play.hub.save())
    play.write(2)
    play.meet()
    play.hub.apply()
    before = play.hub.content("ALD")
    play.restore(play.hub, backups[-1 if which == "last" else 0])
    assert play.hub.content("ALD") != before
    play.settle()
    assert play.hub.content("ALD") == before


@pytest.mark.fault(47)
def test_a_hub_without_any_backup_gets_everything_back_once_its_nodes_are_enrolled(play):
    play.write(5)
    play.meet()
    play.hub.apply()
    before = play.hub.content("ALD")
    play.hub.wipe()
    play.world.tops.clear()
    for site in play.world.everyone():
        if site is not play.hub:
            play.world.group.enrol(site)
    play.settle()
    assert play.hub.content("ALD") == before


@pytest.mark.fault(48)
def test_where_both_were_restored_only_what_neither_holds_is_missing(play):
    play.write(2)
    play.meet()
    plant_backup, hub_backup = play.plant.save(), play.hub.save()
    both = play.plant.facts("ALD")
    play.write(3)
    play.meet()
    play.restore(play.plant, plant_backup)
    play.restore(play.hub, hub_backup)
    play.world.forget_lost("ALD")
    play.write(1)
    play.settle()
    assert both < play.plant.facts("ALD") == play.hub.facts("ALD")
    assert len(play.plant.facts("ALD")) == 3


@pytest.mark.fault(50)
def test_two_copies_of_a_machine_are_held_both_and_go_on_producing(play):
    play.write(2)
    play.meet()
    twin = play.world.group.twin("ALD")
    twin.load(play.plant.save(), "machine")
    twin.boot()
    play.world.sites["ALD"].append(twin)
    play.world.cloned.add("ALD")
    play.world.promised.clear()
    play.world.connect(twin)
    held_at = 0
    for turn in range(1, 12):
        site = (play.plant, twin)[turn % 2]
        play.write(1, site)
        try:
            play.meet(site)
        except PeerHeld:
            held_at = turn
            break
    assert 3 <= held_at <= 6
    for site in (play.plant, twin):
        play.write(1, site)
        with pytest.raises(PeerHeld):
            play.meet(site)
    play.settle()


@pytest.mark.fault(54)
def test_a_label_is_never_printed_again_and_the_ledger_would_notice(play):
    play.write(2)
    backup = play.plant.save()
    play.write(6)
    play.restore(play.plant, backup)
    play.write(8)
    labels = [label for _, label in play.world.labels]
    assert len(labels) == len(set(labels))
    with pytest.raises(Violation, match="twice"):
        play.world.commit(play.plant, type(play.plant.record(play.dice, []))("another fact", labels[0]))


def test_without_the_anchor_labels_come_out_twice(play, monkeypatch):
    monkeypatch.setattr(memory, "is_behind", lambda *_: False)
    monkeypatch.setattr(life, "_reason", lambda *_: "")
    play.write(2)
    backup = play.plant.save()
    play.write(6)
    play.restore(play.plant, backup)
    with pytest.raises(Violation, match="twice"):
        play.write(12)


@pytest.mark.fault(56)
def test_after_a_recovery_the_next_hello_finds_nothing(play):
    play.write(3)
    backup = play.plant.save()
    play.write(2)
    play.meet()
    play.restore(play.plant, backup, "machine")
    play.write(2)
    play.meet()
    before = play.plant.incidents(), play.hub.incidents(), play.epochs(play.plant)
    for _ in range(3):
        play.meet()
    assert (play.plant.incidents(), play.hub.incidents(), play.epochs(play.plant)) == before
    play.settle()


def test_a_recovery_cut_off_anywhere_is_finished_by_the_next(play):
    play.write(4)
    backup = play.plant.save()
    play.write(4)
    play.meet()
    everything = play.hub.facts("ALD")
    play.restore(play.plant, backup)
    play.write(1)
    for _ in range(8):
        try:
            play.meet(weather=Weather(silent=0.5))
        except SyncError:
            play.plant.boot()
    play.settle()
    assert everything < play.plant.facts("ALD")
