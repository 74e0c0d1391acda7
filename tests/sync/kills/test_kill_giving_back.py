"""A hub killed while it takes its own lost facts back: none of them shows, or all do; started again it has them."""

from __future__ import annotations

import signal
import time

import pytest
from sqlalchemy import select

from shared.db.engine import open_engine, read
from shared.journal.tables import entry
from shared.journal.verify import verify
from shared.node import create_tables
from shared.ports import free_port
from sync.errors import SyncError

POINTS = [
    ("sync.taking_back:insert", "after"),
    ("sync.restoring:store_entries", "after"),
    ("sync.restoring:insert_all", "after"),
    ("sync.restoring:rebuild_author", "after"),
    ("sync.taking_back:TakingBack._answer", "before"),
]
"""In the order of the deed; all but the last lie inside the one transaction."""
QUICK, LONG = 5, 200


class At:
    def __init__(self, port):
        self.url = f"http://127.0.0.1:{port}"


def own(hub):
    with read(hub.node.engine) as conn:
        assert verify(conn).findings == ()
        return set(conn.execute(select(entry.c.fact_id).where(entry.c.stream == "HUB")).scalars())


def lost_hub(kit):
    """A hub that wrote six facts for ALD and lost its database, and the ids of the six."""
    hub, plant = kit.hub(), kit.plant()
    kit.enrol(plant, hub)
    hub.create(6)
    said = own(hub)
    with hub.node.journal.work() as tx:
        for fact_id in sorted(said):
            tx.relay(fact_id, "HUB>ALD")
    caller = kit.caller(plant, kit.memory(hub))
    caller.pull(kit.meet(caller), 0)
    hub.node.engine.dispose()
    folder = hub.node.settings.folder
    for left in folder.glob("*.*"):
        left.unlink()
    create_tables(open_engine(f"sqlite:///{folder / 'node.sqlite'}"))
    hub = kit.hub()
    kit.enrol(plant, hub)
    return hub, plant, said


def meet_until_dead(kit, plant, dying, port):
    caller, end = kit.caller(plant, kit.http(At(port))), time.monotonic() + 60
    while not dying.ended():
        assert time.monotonic() < end, "the point was never reached"
        try:
            kit.meet(caller)
        except SyncError:
            time.sleep(0.05)
    assert dying.status == -signal.SIGKILL


@pytest.mark.fault(47)
@pytest.mark.parametrize("cycles", [QUICK, pytest.param(LONG, marks=[pytest.mark.slow, pytest.mark.timeout(3_600)])])
def test_a_hub_killed_while_it_takes_its_own_facts_back_has_all_or_none(kit, zygote, cycles):
    hub, plant, said = lost_hub(kit)
    for _ in range(cycles):
        for name, when in POINTS[:-1]:
            port = free_port()
            meet_until_dead(kit, plant, zygote.fork("hub", port, name, when), port)
            assert own(hub) == set(), name
    port = free_port()
    meet_until_dead(kit, plant, zygote.fork("hub", port, *POINTS[-1], nth=2), port)
    assert own(hub) == said, "it was stored before the answer"
    hub = kit.hub()
    kit.meet(kit.caller(plant, kit.memory(hub)))
    assert own(hub) == said
    assert hub.hash_of("HUB") == plant_rows(kit, plant, hub)


def plant_rows(kit, plant, hub):
    caller = kit.caller(plant, kit.memory(hub))
    session = kit.meet(caller)
    while caller.pull(session, 0):
        pass
    plant.apply()
    return plant.hash_of("HUB")
