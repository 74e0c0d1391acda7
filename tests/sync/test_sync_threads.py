"""Threads that follow: they run at once when something happened, now and then anyway, and outlive what fails under them."""

from __future__ import annotations

import threading
import time

import pytest
from sqlalchemy import select

from shared.db.engine import read
from shared.errors import StrandlineError
from shared.journal.anchor import read_anchor
from sync.anchoring import Anchoring
from sync.backoff import Backoff
from sync.bell import Bell
from sync.following import Following
from sync.lease import Lease
from sync.station import CalledStation, make_ground
from sync.tables import lease

PATIENT = 60.0
"""Seconds: longer than any of these tests waits, so that a look by the clock explains nothing."""


class Waits(Backoff):
    """Remembers after how many failures it was asked, and lets the test go on at once."""

    asked: list[int] = []

    def wait_s(self, failures: int) -> float:
        self.asked.append(failures)
        return 0.001


def until(condition):
    end = time.monotonic() + 45
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


@pytest.fixture
def plant(kit, monkeypatch):
    monkeypatch.setattr(Waits, "asked", [])
    return kit.plant()


def following(kit, plant, *steps, look_s=PATIENT):
    named = [(f"step {n}", step) for n, step in enumerate(steps)]
    made = Following(named, plant.ground.applying, Waits(1, 1, lambda: 1.0), look_s)
    kit.closing.append(made.stop)
    return made


def test_steps_run_in_order_at_the_start_and_whenever_facts_were_applied(kit, plant):
    hub = kit.hub()
    kit.enrol(plant, hub)
    plant.create(2)
    ran = []
    follow = Following(
        [("a", lambda: ran.append("a")), ("b", lambda: ran.append("b"))],
        hub.ground.applying,
        Waits(1, 1, lambda: 1.0),
        PATIENT,
    )
    kit.closing.append(follow.stop)
    follow.start()
    until(lambda: ran == ["a", "b"])
    kit.drain(kit.caller(plant, kit.memory(hub)))
    assert hub.apply() == 2
    until(lambda: ran == ["a", "b"] * 2)


def test_of_several_processes_only_the_one_that_leads_follows_and_another_takes_over(kit, plant, monkeypatch):
    monkeypatch.setattr("sync.following.LEASE_S", 0.05)
    ran = []
    other = Lease(plant.node.engine, "apply", PATIENT)
    assert other.take()
    follow = following(kit, plant, lambda: ran.append(1), look_s=0.01)
    asked = threading.Event()
    leads = plant.ground.applying.leads

    def ask():
        asked.set()
        return leads()

    monkeypatch.setattr(plant.ground.applying, "leads", ask)
    follow.start()
    assert asked.wait(45)
    assert ran == []
    other.give_up()
    until(lambda: ran)


def test_urgent_types_are_followed_at_once_and_others_gather_for_one_round(kit, plant, monkeypatch):
    monkeypatch.setattr("sync.following.GATHER_S", 0.3)
    ran = []
    follow = Following(
        [("a", lambda: ran.append(time.monotonic()))],
        plant.ground.applying,
        Waits(1, 1, lambda: 1.0),
        PATIENT,
        urgent={"PieceReceived"},
    )
    kit.closing.append(follow.stop)
    follow.start()
    until(lambda: len(ran) == 1)
    for types in ({"SlabCut"}, {"MaterialMoved"}):
        for listener in plant.ground.applying._listeners:
            listener(frozenset(types))
    until(lambda: len(ran) == 2)
    assert ran[1] - ran[0] > 0.25
    monkeypatch.setattr("sync.following.GATHER_S", PATIENT)
    for listener in plant.ground.applying._listeners:
        listener(frozenset({"SlabCut", "PieceReceived"}))
    until(lambda: len(ran) == 3)  # sooner than those that gather would ever be


def test_steps_run_now_and_then_although_nobody_rings(kit, plant):
    ran = []
    following(kit, plant, lambda: ran.append(1), look_s=0.01).start()
    until(lambda: len(ran) > 3)


def test_a_step_that_fails_is_tried_again_with_longer_waits_and_those_behind_it_wait(kit, plant):
    ran, trouble = [], [StrandlineError("x", "not now")] * 4

    def first():
        if trouble:
            raise trouble.pop()

    following(kit, plant, first, lambda: ran.append(list(trouble))).start()
    until(lambda: ran)
    assert ran == [[]]
    assert Waits.asked == [1, 2, 3, 4]
    trouble.append(StrandlineError("x", "again"))
    for listener in plant.ground.applying._listeners:
        listener(frozenset())
    until(lambda: len(ran) == 2)
    assert Waits.asked[4:] == [1]  # a success begins the count anew


def test_after_a_stop_nothing_runs_not_even_the_next_step_in_hand(kit, plant):
    begun, go, ran = threading.Event(), threading.Event(), []

    def slow():
        begun.set()
        go.wait(45)

    follow = following(kit, plant, slow, lambda: ran.append(1))
    follow.start()
    assert begun.wait(45)
    threading.Timer(0.05, go.set).start()
    follow.stop(45)
    assert ran == []
    assert not any(t.name == "following" and t.is_alive() for t in threading.enumerate())


def test_a_bell_rung_after_the_look_is_not_missed_and_one_rung_before_is_not_heard_twice():
    bell = Bell()
    seen = bell.rings
    bell.ring()
    assert bell.wait(seen, 0) is True
    assert bell.wait(bell.rings, 0.01) is False
    heard = []
    waiter = threading.Thread(target=lambda: heard.append(bell.wait(bell.rings, 45)))
    waiter.start()
    until(waiter.is_alive)
    bell.ring()
    end = time.monotonic() + 40
    while waiter.is_alive() and time.monotonic() < end:
        bell.ring()  # it may have looked only after the first one
        waiter.join(0.01)
    assert heard == [True]


def test_an_anchor_that_cannot_be_written_is_written_once_it_can(kit, plant, tmp_path):
    folder = tmp_path / "mount"
    file = folder / "anchor.json"
    bell = Bell()
    plant.node.journal.listen(bell.ring)
    anchoring = Anchoring("ALD", plant.node.engine, file, bell)
    kit.closing.append(anchoring.stop)
    anchoring.start()
    plant.create(1)
    folder.mkdir()
    plant.create(1)
    until(lambda: file.exists() and read_anchor(file).heads["ALD"].seq == 2)


def test_the_last_commit_before_a_stop_is_anchored_and_an_unchanged_anchor_is_not_written_again(plant, tmp_path):
    file = tmp_path / "anchor.json"
    anchoring = Anchoring("ALD", plant.node.engine, file, Bell())  # nobody rings
    plant.create(3)
    anchoring.write_now()
    first = file.stat()
    anchoring.write_now()
    assert file.stat().st_ino == first.st_ino
    anchoring.start()
    plant.create(1)
    anchoring.stop(45)
    assert read_anchor(file).heads["ALD"].seq == 4
    assert file.stat().st_ino != first.st_ino


def test_what_arrives_is_applied_by_one_process_and_by_the_next_as_soon_as_that_one_ends(kit, plant):
    hub = kit.hub()
    kit.enrol(plant, hub)
    one, other = hub.ground, make_ground(hub.node, 500)
    told = []
    one.applying.listen(lambda types: told.append(("one", types)))
    other.applying.listen(lambda types: told.append(("other", types)))
    one.applying.start()
    until(lambda: lease_holder(hub) != "")
    other.applying.start()
    kit.closing.append(other.applying.stop)
    plant.create(2)
    kit.drain(kit.caller(plant, kit.memory(hub)))
    one.arrived.ring()
    until(lambda: hub.applied_of("ALD") == 2)
    until(lambda: told)
    assert {(who, tuple(types)) for who, types in told} == {("one", ("MaterialCreated",))}
    one.applying.stop(45)
    assert lease_holder(hub) == ""
    plant.move(plant.pieces[0], "gate")
    kit.drain(kit.caller(plant, kit.memory(hub)))
    other.arrived.ring()
    until(lambda: hub.applied_of("ALD") == 3)
    until(lambda: told[-1] == ("other", frozenset({"MaterialMoved"})))


def lease_holder(box):
    with read(box.node.engine) as conn:
        return conn.execute(select(lease.c.holder).where(lease.c.name == "apply")).scalar() or ""


def test_a_hub_that_ends_lets_those_go_who_wait_for_something_new(kit, plant):
    hub = kit.hub()
    kit.enrol(plant, hub)
    station = CalledStation(hub.ground, hub.desk)
    station.start()
    caller = kit.caller(plant, kit.memory(hub))
    session = caller.hello()
    caller.pull(session, 0)
    began = threading.Event()
    wait, answers = hub.ground.departing.wait, []

    def waits(seen, timeout_s):
        began.set()
        return wait(seen, PATIENT)

    hub.ground.departing.wait = waits
    asking = threading.Thread(target=lambda: answers.append(caller.pull(session, 25_000)), daemon=True)
    asking.start()
    assert began.wait(45)
    station.stop()
    asking.join(20)
    assert answers == [0]
