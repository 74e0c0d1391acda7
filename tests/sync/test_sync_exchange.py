"""The loop's manners on a bad line: it waits longer and longer, starts again at hello, and never gives up."""

from __future__ import annotations

import threading
import time
from dataclasses import replace

import pytest
from sqlalchemy import select

from shared.db.engine import read
from sync.backoff import Backoff
from sync.errors import Busy, OverLimit, StaleSession, StorageFull, Unreachable
from sync.exchange import Exchange, Pace
from sync.lease import Lease
from sync.link import report_link
from sync.tables import incident


class Waits(Backoff):
    """Remembers how long it was told to wait and lets the test wait less."""

    asked: list[int] = []

    def wait_s(self, failures):
        self.asked.append(failures)
        return 0.01


class Moody:
    """A line that refuses named doors with an error as long as it is told to."""

    def __init__(self, inner):
        self.inner, self.refuse, self.calls = inner, {}, []

    def send(self, door, body):
        self.calls.append(door)
        if door in self.refuse:
            raise self.refuse[door]
        return self.inner.send(door, body)


def until(condition):
    end = time.monotonic() + 45
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.fixture
def scene(kit, monkeypatch):
    hub, plant = kit.hub(), kit.plant()
    kit.enrol(plant, hub)
    line = Moody(kit.memory(hub))
    monkeypatch.setattr(Waits, "asked", [])
    exchange = Exchange(
        kit.caller(plant, line),
        Pace(0.2, 0.1, 100),
        Waits(1, 300, lambda: 1.0),
        plant.ground.departing,
        plant.ground.arrived,
        Lease(plant.node.engine, "ship:HUB", 15),
    )
    kit.closing.append(exchange.stop)
    return plant, hub, line, exchange


@pytest.mark.parametrize(
    "error", [Unreachable("x", "x"), StorageFull("x", "x"), Busy("x", "x"), OverLimit("x", "x"), StaleSession("x", "x")]
)
def test_a_push_that_keeps_failing_waits_longer_each_time_though_each_hello_succeeds(scene, error):
    plant, hub, line, exchange = scene
    plant.create(3)
    line.refuse = {"push": error}
    exchange.start()
    until(lambda: max(Waits.asked, default=0) >= 6)
    assert line.calls.count("hello") >= 5
    line.refuse = {}
    until(lambda: hub.entries_of("ALD") == 3)


@pytest.mark.fault(16)
def test_a_batch_that_is_too_much_for_the_line_is_offered_in_ever_smaller_parts(scene):
    plant, hub, line, exchange = scene
    plant.create(40)

    class Narrow(Moody):
        def send(self, door, body):
            if door == "push" and len(body) > 3_000:
                raise Unreachable("x", "the line stalls on large requests")
            return self.inner.send(door, body)

    narrow = Narrow(line)
    exchange._caller = replace(exchange._caller, transport=narrow)
    exchange.start()
    until(lambda: hub.entries_of("ALD") == 40)


def test_the_receivers_own_wish_for_a_pause_is_kept(scene):
    plant, _hub, line, exchange = scene
    plant.create(1)
    busy = Busy("x", "x")
    busy.after_s = 0.6
    line.refuse = {"push": busy}
    exchange.start()
    until(lambda: line.calls.count("push") >= 1)
    began, before = time.monotonic(), line.calls.count("push")
    until(lambda: line.calls.count("push") > before)
    assert time.monotonic() - began > 0.3


def test_facts_recorded_while_it_waits_do_not_turn_into_calls_and_sync_now_does(scene, monkeypatch):
    plant, _hub, line, exchange = scene
    monkeypatch.setattr(Waits, "wait_s", lambda _self, _failures: 30.0)
    line.refuse = {"hello": Unreachable("x", "gone"), "pull": Unreachable("x", "gone")}
    exchange.start()
    until(lambda: line.calls.count("hello") == 1)
    plant.create(5)
    until(lambda: report_state(plant) == "away")
    assert line.calls.count("hello") == 1
    exchange.sync_now()
    until(lambda: line.calls.count("hello") == 2)


def report_state(plant):
    with read(plant.node.engine) as conn:
        return report_link(conn, "ALD", "HUB").state


def test_recording_never_waits_for_the_line(scene):
    """A call that hangs holds no transaction: the plant records meanwhile."""
    plant, _hub, line, exchange = scene
    hanging, released = threading.Event(), threading.Event()
    inner = line.inner

    class Hanging:
        def send(self, door, body):
            if door == "push":
                hanging.set()
                released.wait(60)
            return inner.send(door, body)

    exchange._caller = replace(exchange._caller, transport=Hanging())
    plant.create(1)
    exchange.start()
    assert hanging.wait(45)
    plant.create(10)
    assert plant.entries_of("ALD") == 11
    released.set()


def test_a_down_line_that_forked_is_told_once_and_does_not_stop_the_way_up(scene):
    plant, hub, line, exchange = scene
    from shared.db.engine import write
    from shared.journal.tables import applied
    from sync.tables import position

    hub.create(2)
    with hub.node.journal.work() as tx:
        for fact_id in tx.conn.execute(select(applied.c.fact_id)).scalars().all():
            tx.relay(fact_id, "HUB>ALD")
    exchange.start()
    until(lambda: plant.entries_of("HUB>ALD") == 2)
    with write(plant.node.engine) as conn:  # the plant remembers another past than the hub
        conn.exec_driver_sql("DROP TRIGGER entry_no_UPDATE")
        conn.exec_driver_sql(f"UPDATE entry SET hash = '{'c' * 64}' WHERE stream = 'HUB>ALD' AND seq = 2")
        conn.execute(position.update().where(position.c.stream == "HUB>ALD").values(hash="c" * 64))
    until(lambda: plant.count(incident) == 1)
    plant.create(3)
    until(lambda: hub.entries_of("ALD") == 3)
    until(lambda: line.calls.count("pull") > 6)
    assert plant.count(incident) == 1
