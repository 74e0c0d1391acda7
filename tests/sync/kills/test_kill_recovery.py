"""A restored plant killed while it takes its own history back: started again it completes, and no half is ever seen."""

from __future__ import annotations

import shutil
import time

import pytest
from sqlalchemy import delete, select

from shared.db.engine import read, write
from shared.journal.tables import epoch, fact
from shared.journal.verify import verify
from sync.tables import lease

QUICK, LONG = 5, 200


@pytest.mark.fault(22)
@pytest.mark.parametrize("cycles", [QUICK, pytest.param(LONG, marks=[pytest.mark.slow, pytest.mark.timeout(3_600)])])
@pytest.mark.parametrize(
    ("point", "when"),
    [
        ("sync.recovering:fetch", "after"),
        ("sync.mending:_Mending._take", "after"),
        ("sync.mending:_Mending._open_child", "after"),
        ("sync.recovering:mend", "after"),
        ("sync.anchoring:Anchoring.write_now", "before"),
    ],
)
def test_plant_killed_in_the_middle_of_its_recovery(kit, zygote, point, when, cycles):
    hub, plant = kit.hub(), kit.plant()
    kit.enrol(plant, hub)
    port = kit.serve(hub).server.server_port
    plant.create(5)
    database = plant.node.settings.folder / "node.sqlite"
    plant.node.engine.dispose()
    shutil.copy(database, database.with_suffix(".backup"))
    plant.create(20)
    kit.drain(kit.caller(plant, kit.memory(hub)))
    lost = _facts(plant)
    plant.node.engine.dispose()
    for left in database.parent.glob("node.sqlite*"):
        left.unlink()
    shutil.copy(database.with_suffix(".backup"), database)
    acknowledged = []
    for _ in range(cycles):
        acknowledged += zygote.dies("plant", port, point, when).acknowledged
        with write(plant.node.engine) as conn:
            conn.execute(delete(lease))  # or the next one would wait until the dead one's has run out
            assert verify(conn).findings == ()
            lives = conn.execute(select(epoch.c.ordinal).where(epoch.c.stream == "ALD").order_by(epoch.c.ordinal)).all()
        assert [row.ordinal for row in lives] == list(range(1, len(lives) + 1))
        back = _facts(plant) & lost
        assert len(back) in (5, 25), "a part of the history came back"
    again = kit.plant()
    running = zygote.fork("plant", port)
    _until(lambda: lost <= _facts(again))
    running.stop()
    kit.drain_after_a_death(kit.caller(again, kit.memory(hub)))
    hub.apply()
    assert set(acknowledged + running.acknowledged) | lost <= _facts(again) == _facts(hub)
    assert again.hash_of("ALD") == hub.hash_of("ALD")


def _facts(box):
    with read(box.node.engine) as conn:
        return set(conn.execute(select(fact.c.fact_id).where(fact.c.author == "ALD")).scalars())


def _until(condition):
    end = time.monotonic() + 100
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)
