"""A fault of the program in any thread of a node: told with its trace, seen from outside, begun anew, and passed."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest
from sqlalchemy import event, select

from central_hub.wiring import init_hub
from central_hub.wsgi import start_hub
from local_mes.level2.edge.enrolment import DESK
from local_mes.level2.edge.hosting import Hosting, prepare
from local_mes.level2.interpret import Interpreter
from local_mes.level2.links import load_links
from local_mes.wiring import init_plant
from local_mes.wsgi import start_plant
from shared.db.engine import read, write
from shared.disk import DiskWatch
from shared.keys import new_key
from shared.settings import HubSettings, PlantSettings, check
from shared.threads import LANES, plainly
from sync import put_right, station, steady
from sync.accounting import Account
from sync.anchoring import Anchoring
from sync.applying import Applying
from sync.backoff import Backoff
from sync.compare_door import EXTENSION
from sync.exchange import Exchange
from sync.following import Following
from sync.incidents import FAULT
from sync.measuring import Measuring
from sync.nightly import Nightly
from sync.peers import trust_peer
from sync.steady import Steady, standing_faults
from sync.tables import incident, nightly

DAY_MS = 86_400_000
MODEL = Path(__file__).parents[2] / "demo" / "plants" / "ald" / "model.toml"
HUB_SYNC = {"watch_s": 0.05, "retry_first_s": 0.02, "retry_max_s": 0.1, "heartbeat_s": 0.1}
SYNC = {**HUB_SYNC, "route_probe_s": 0.1}


class Unforeseen(Exception):
    """What no loop expects."""


def until(condition):
    end = time.monotonic() + 45
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


class Trips:
    """Lets functions raise on their first call in the lane's own thread, and counts the calls after that."""

    def __init__(self, monkeypatch):
        self._patch = monkeypatch
        self.calls = dict.fromkeys(LANES, 0)

    def lay(self, lane, owner, name):
        inner = getattr(owner, name)

        def tripping(*args, **kwargs):
            if threading.current_thread().name == lane:
                self.calls[lane] += 1
                if self.calls[lane] == 1:
                    raise Unforeseen(f"in {lane}")
            return inner(*args, **kwargs)

        self._patch.setattr(owner, name, tripping)


def rows(*nodes):
    """Lane -> its incident at any of these nodes."""
    found = {}
    for node in nodes:
        with read(node.engine) as conn:
            found |= {row.kind.removeprefix(FAULT): row for row in conn.execute(select(incident)) if FAULT in row.kind}
    return found


@pytest.fixture
def quick(monkeypatch):
    """Loops that look often, and faults that are over soon after they are over."""
    monkeypatch.setattr(Nightly.__init__, "__defaults__", (0.02,))
    monkeypatch.setattr(DiskWatch.__init__, "__defaults__", (0.02, plainly))
    monkeypatch.setattr(steady, "CALM_S", 0.5)


@pytest.fixture
def trips(monkeypatch):
    return Trips(monkeypatch)


def stumbled(trips, lanes, *nodes):
    """Every lane raised once, was told with its trace and began anew; then all of them passed."""
    until(lambda: rows(*nodes).keys() >= lanes)
    until(lambda: all(trips.calls[lane] > 1 for lane in lanes))
    for lane in lanes:
        found = rows(*nodes)[lane]
        assert (found.peer, found.level) == (nodes[0].code, "alarm")
        assert LANES[lane] in found.what
        assert f"Unforeseen: in {lane}" in found.evidence
        assert "Traceback" in found.evidence
    until(lambda: all(row.ended_ms for row in rows(*nodes).values()))
    assert [standing_faults(node) for node in nodes] == [""] * len(nodes)


def test_every_thread_of_a_plant_outlives_a_fault_of_the_program(tmp_path, monkeypatch, quick, trips):
    values = {"code": "ALD", "name": "ALD", "folder": tmp_path / "ald", "hub_url": "http://127.0.0.1:9"}
    settings = check(PlantSettings, {**values, "model": MODEL, "sync": SYNC, "edge": "ALDE"}, "test")
    plant = init_plant(settings)
    prepare(plant, load_links(settings))
    with write(plant.node.engine) as conn:
        trust_peer(conn, "HUB", new_key().public, 1)
    here = {
        "anchor": (Anchoring, "write_now"),
        "apply": (Applying, "apply_all"),
        "disk": (DiskWatch, "settle"),
        "down": (Exchange, "_meet"),
        "edge": (Hosting, "step"),
        "enrolment": (station, "list_peers"),
        "figures": (Account, "step"),
        "following": (Following, "_all"),
        "interpreter": (Interpreter, "step"),
        "nightly": (Nightly, "run_due"),
        "routes": (Measuring, "step"),
        "up": (Exchange, "_hello"),
    }
    # set-points are recorded within the interpreter's thread: test_setpoints.py
    assert here.keys() | {"rows", "setpoints"} == LANES.keys(), "a lane without a test"
    for lane, place in here.items():
        trips.lay(lane, *place)
    served = start_plant(settings)
    served.start()
    try:
        stumbled(trips, here.keys(), plant.node, served.app.extensions[DESK])  # the edge's desk has such threads too
        client = served.app.test_client()
        assert client.get("/health/ready").status_code == 200
        monkeypatch.setattr(Following, "_all", always)
        until(lambda: client.get("/health/ready").status_code == 503)
        assert "what follows from applied facts" in client.get("/health/ready").json["detail"]
    finally:
        served.stop()


def always(_following):
    raise Unforeseen("again")


def test_the_hub_makes_rows_again_after_a_fault_of_the_program(tmp_path, quick, trips):
    hub = init_hub(
        check(HubSettings, {"code": "HUB", "name": "HUB", "folder": tmp_path / "hub", "sync": HUB_SYNC}, "test")
    )
    here = {"rows": (put_right, "put_right_and_tell"), "following": (Following, "_all")}
    for lane, place in here.items():
        trips.lay(lane, *place)
    served = start_hub(hub.settings)
    served.start()
    try:
        again = served.app.extensions[EXTENSION].differs
        until(lambda: again("ALD") or trips.calls["rows"] > 1)
        stumbled(trips, here.keys(), hub.node)
    finally:
        served.stop()


def test_a_fault_waits_longer_each_time_and_what_lasted_before_a_start_has_passed(kit):
    plant = kit.plant()
    lane, stopping, waits, calls = Steady(plant.node), threading.Event(), [], []
    stopping.wait = waits.append
    lane._backoff = Backoff(1, 300, lambda: 1.0)

    def loop():
        calls.append(1)
        if len(calls) < 5:
            raise Unforeseen("five times")
        stopping.set()

    lane.run("up", loop, stopping)
    assert waits == [1, 2, 4, 8]
    assert "sending to the peer" in standing_faults(plant.node)
    assert len(rows(plant.node)) == 1
    Steady(plant.node).run("up", lambda: None, threading.Event())
    assert standing_faults(plant.node) == ""


def test_a_nightly_job_with_a_fault_takes_no_others_night(kit):
    plant, well = kit.plant(), []
    jobs = (("one", lambda: 1 // len(well)), ("two", lambda: well.append("ran")))
    night = Nightly(plant.node, jobs)
    night.run_due()
    kit.clock.advance(DAY_MS)
    assert night.run_due() == ["one", "two"]
    assert well == ["ran"]
    assert "the work of the night" in standing_faults(plant.node)
    with read(plant.node.engine) as conn:
        found = {row.job: (row.well, row.outcome) for row in conn.execute(select(nightly))}
    assert found["two"][0]
    assert not found["one"][0]
    assert "ZeroDivisionError" in found["one"][1]
    kit.clock.advance(DAY_MS)
    night.run_due()
    assert standing_faults(plant.node) == "", "the next night went well"


def test_a_fault_that_cannot_be_kept_stops_nothing_either(kit):
    plant, calls = kit.plant(), []

    def full(*_args):
        raise OSError(28, "No space left on device")

    def loop():
        calls.append(1)
        if len(calls) == 1:
            raise Unforeseen("and the disk is full")

    event.listen(plant.node.engine, "connect", full)
    plant.node.engine.dispose()
    lane = Steady(plant.node)
    lane._backoff = Backoff(0.001, 0.001, lambda: 1.0)
    lane.run("up", loop, threading.Event())
    assert len(calls) == 2
