"""kill -9 at labelled points, again and again: what was committed stays and arrives once, what was not leaves nothing.

The quick form kills a few times at each point, the slow form 200 times (fault catalogue, group B).
"""

from __future__ import annotations

import os
import random
import signal
import time

import pytest
from sqlalchemy import func, select

from shared.db.engine import read, write
from shared.ids import random_key
from shared.journal.anchor import read_anchor
from shared.journal.quarantine import count_by_state
from shared.journal.tables import epoch, fact
from shared.journal.verify import verify
from shared.ports import free_port
from sync import marks
from sync.bundles.export import export, road_up
from sync.errors import SyncError

QUICK, LONG = 5, 200
cycles = pytest.mark.parametrize(
    "cycles", [QUICK, pytest.param(LONG, marks=[pytest.mark.slow, pytest.mark.timeout(3_600)])]
)


def point(name, when="before"):
    """A labelled point."""
    return pytest.param(name, when, id=f"{when}-{name.split(':')[-1]}")


def facts_of(box):
    with read(box.node.engine) as conn:
        assert verify(conn).findings == ()
        return set(conn.execute(select(fact.c.fact_id).where(fact.c.author == "ALD")).scalars())


def epochs_of(box, stream="ALD"):
    with read(box.node.engine) as conn:
        return conn.execute(select(func.count()).where(epoch.c.stream == stream)).scalar_one()


def converges(kit, hub, plant, acknowledged):
    """After the last kill both sides start as usual and end up equal, with all that was ever acknowledged."""
    kit.drain_after_a_death(kit.caller(plant, kit.memory(hub)))
    hub.apply()
    assert set(acknowledged) <= facts_of(plant)
    assert facts_of(hub) == facts_of(plant)
    assert hub.applied_of("ALD") == plant.applied_of("ALD") == len(facts_of(plant))
    assert hub.hash_of("ALD") == plant.hash_of("ALD")
    assert epochs_of(plant) == epochs_of(hub) == 1, "a kill is no restore"


@pytest.mark.fault(19, 20, 39)
@cycles
@pytest.mark.parametrize(
    ("name", "when"),
    [
        point("shared.journal.journal:_append", "after"),
        point("shared.journal.journal:Journal.notify"),
        point("sync.anchoring:write_anchor"),
        point("os:fsync", "after"),
        point("sync.transport:HttpTransport.send"),
        point("sync.caller:Caller._check_receipt"),
        point("sync.marks:keep_own_seal", "after"),
    ],
)
def test_plant_killed(kit, zygote, name, when, cycles):
    hub, plant = kit.hub(), kit.plant()
    kit.enrol(plant, hub)
    plant.ground.anchoring.write_now()
    port, rng, acknowledged = kit.serve(hub).server.server_port, random.Random(name), []
    for _ in range(cycles):
        acknowledged += zygote.dies("plant", port, name, when, rng.randrange(1, 6)).acknowledged
        facts_of(plant)
    assert read_anchor(plant.node.settings.folder / "anchor.json") is not None
    converges(kit, hub, kit.plant(), acknowledged)


@pytest.mark.fault(2, 24, 25)
@cycles
@pytest.mark.parametrize(
    ("name", "when"),
    [
        point("sync.incoming:store_entries", "after"),
        point("sync.incoming:keep_seal", "after"),
        point("sync.desk:Desk._receipt"),
        point("sync.applying:apply_entries", "after"),
        point("sync.applying:move_to", "after"),
    ],
)
def test_hub_killed(kit, zygote, name, when, cycles):
    hub, plant = kit.hub(), kit.plant()
    kit.enrol(plant, hub)
    rng = random.Random(name)
    for _ in range(cycles):
        port = free_port()
        dying = zygote.fork("hub", port, name, when, rng.randrange(1, 3))
        caller = kit.caller(plant, kit.http(_Address(port)))
        end = time.monotonic() + 60
        while not dying.ended():
            assert time.monotonic() < end, f"{name} was never reached"
            plant.create(1)
            _try_to_drain(kit, caller)
        assert dying.status == -signal.SIGKILL
        facts_of(hub)
    converges(kit, kit.hub(), plant, [])


class _Address:
    def __init__(self, port):
        self.url = f"http://127.0.0.1:{port}"


def _try_to_drain(kit, caller):
    try:
        kit.drain(caller, entries_max=2)
    except SyncError:
        time.sleep(0.05)


def _poisoned(kit, hub, plant):
    """A hub with facts that it could not read, and with others that wait for them."""
    session = kit.caller(plant, kit.memory(hub)).hello()
    body = kit.forge(
        plant,
        session,
        [
            kit.raw_fact(n, payload={"material_id": n} if n % 3 == 0 else {"material_id": f"m{n}", "place": "yard"})
            for n in range(1, 12)
        ],
    )
    kit.memory(hub).send("push", body)
    hub.apply()


@pytest.mark.fault(26)
@cycles
@pytest.mark.parametrize(
    ("name", "when"),
    [
        point("shared.journal.rebuild:lock_applying", "after"),
        point("shared.journal.rebuild:apply_entries", "after"),
    ],
)
@pytest.mark.parametrize("deed", ["redrive", "rebuild"])
def test_hub_killed_while_trying_again(kit, zygote, name, when, cycles, deed):
    hub, plant = kit.hub(), kit.plant()
    kit.enrol(plant, hub)
    _poisoned(kit, hub, plant)
    with read(hub.node.engine) as conn:
        before = count_by_state(conn)
    assert before["quarantined"] == 3
    rows = hub.hash_of("ALD")
    for _ in range(cycles):
        zygote.dies(deed, 0, name, when)
        with read(hub.node.engine) as conn:
            assert count_by_state(conn) == before
        assert hub.hash_of("ALD") == rows
    hub.ground.applying.retry_set_aside()
    with read(hub.node.engine) as conn:
        assert count_by_state(conn) == before
    assert hub.hash_of("ALD") == rows


@cycles
@pytest.mark.parametrize(
    ("deed", "name", "when"),
    [
        ("import", "sync.bundles.take:store", "after"),
        ("import", "sync.bundles.take:_believe", "after"),
        ("export", "sync.bundles.export:promise", "after"),
        ("export", "os:fsync", "before"),
        ("export", "sync.bundles.export:write_file", "after"),
    ],
)
def test_killed_over_a_bundle(kit, zygote, deed, name, when, cycles):
    hub, plant = kit.hub(), kit.plant()
    kit.enrol(plant, hub)
    object.__setattr__(
        plant.node.settings, "sync", plant.node.settings.sync.model_copy(update={"batch_entries_max": 4})
    )
    road = road_up(plant.node, lambda: None)
    for number in range(cycles):
        plant.create(6)
        up = kit.folder / "up.bundle"
        up.unlink(missing_ok=True)
        export(road, up)
        zygote.dies(deed, number, name, when)
        facts_of(hub)
    converges(kit, hub, plant, [])
    hidden = [path for path in kit.folder.iterdir() if path.name.startswith(".")]
    assert len(hidden) <= cycles if name == "os:fsync" else hidden == []


@pytest.mark.fault(27)
def test_two_shippers_by_mistake_one_ships(kit, zygote):
    from sync.lease import Lease

    hub, plant = kit.hub(), kit.plant()
    kit.enrol(plant, hub)
    port = kit.serve(hub).server.server_port
    running = zygote.fork("plant", port)
    _until(lambda: hub.entries_of("ALD") > 20)
    assert not Lease(plant.node.engine, "ship:HUB", 5).take()
    running.stop()
    converges(kit, hub, kit.plant(), running.acknowledged)


@pytest.mark.fault(29)
def test_a_plant_stopped_for_long_says_hello_again(kit, zygote):
    hub, plant = kit.hub(), kit.plant()
    kit.enrol(plant, hub)
    port = kit.serve(hub).server.server_port
    running = zygote.fork("plant", port)
    _until(lambda: hub.entries_of("ALD") > 20)
    os.kill(running.pid, signal.SIGSTOP)
    _until(lambda: _settled(hub))
    with write(hub.node.engine) as conn:  # what an hour may bring: its session is not the latest any more
        marks.open_session(conn, "ALD", random_key(), random_key(), 1, 0, 0)
    held = hub.entries_of("ALD")
    os.kill(running.pid, signal.SIGCONT)
    _until(lambda: hub.entries_of("ALD") > held + 20)
    running.stop()
    converges(kit, hub, kit.plant(), running.acknowledged)


def _settled(hub):
    before = hub.entries_of("ALD")
    time.sleep(0.2)
    return hub.entries_of("ALD") == before


def _until(condition):
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)
