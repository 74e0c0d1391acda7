"""kill -9 at every step of a recovery: what shows is the history before it or the whole after it, never a part."""

from __future__ import annotations

import shutil

import pytest
from sqlalchemy import func, select

from shared.db.engine import read, write
from shared.journal.reading import lives
from shared.journal.tables import entry_abandoned
from shared.journal.verify import verify
from sync.beginning import anchor_file
from sync.proof import check_seals
from sync.staging import clear

QUICK, LONG = 5, 200
BEFORE_COMMIT = [
    ("sync.caller:Caller.history", "after"),
    ("sync.staging:_prove", "after"),
    ("sync.staging:insert", "after"),
    ("sync.mending:abandon", "after"),
    ("sync.mending:_Mending._drop_contradicted", "after"),
    ("sync.mending:store_entries", "after"),
    ("sync.mending:renumber", "after"),
    ("sync.mending:open_epoch", "after"),
    ("sync.mending:append_many", "after"),
    ("sync.mending:rebuild_author", "after"),
    ("sync.recovering:mend", "after"),
]
"""Eleven points in the order of the deed; all but the first three lie inside the one transaction."""


def shape(box):
    with read(box.node.engine) as conn:
        assert verify(conn).findings == ()
        assert check_seals(conn, box.node.key.public).findings == ()
        return [(life.epoch, life.seq, life.hash, life.parent) for life in lives(conn, "ALD")]


def given_up(box):
    with read(box.node.engine) as conn:
        return conn.execute(select(func.count()).select_from(entry_abandoned)).scalar_one()


def roll_back_the_machine(kit, plant, hub):
    """The plant wrote on from an older state: hub and plant have parted at entry 4, each with entries of its own."""
    folder, kept = plant.node.settings.folder, kit.folder / "kept"
    pieces = plant.create(4)
    plant.ground.anchoring.write_now()
    with plant.node.engine.connect() as conn:
        conn.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    shutil.copytree(folder, kept)
    plant.create(6)
    kit.drain(kit.caller(plant, kit.memory(hub)), entries_max=2)
    plant.node.engine.dispose()
    shutil.rmtree(folder)
    shutil.copytree(kept, folder)
    plant = kit.plant()
    for number in range(5):
        plant.move(pieces[number % 4], f"bay {number}")
    plant.ground.anchoring.write_now()
    return plant


@pytest.mark.fault(22, 41)
@pytest.mark.parametrize("cycles", [QUICK, pytest.param(LONG, marks=[pytest.mark.slow, pytest.mark.timeout(3_600)])])
def test_a_plant_killed_anywhere_in_a_recovery_shows_all_of_it_or_nothing(kit, zygote, cycles):
    hub, plant = kit.hub(), kit.plant()
    kit.enrol(plant, hub)
    plant = roll_back_the_machine(kit, plant, hub)
    port, before, rows = kit.serve(hub).server.server_port, shape(plant), plant.hash_of("ALD")
    for _ in range(cycles):
        with write(plant.node.engine) as conn:
            clear(conn, "ALD")  # what was fetched before a kill stays and is not fetched again: each cycle from nothing
        for name, when in BEFORE_COMMIT:
            zygote.dies("mend", port, name, when)
            assert (shape(plant), given_up(plant), plant.hash_of("ALD")) == (before, 0, rows), name
    remembered = anchor_file(plant.node).read_bytes()
    zygote.dies("mend", port, "sync.anchoring:write_anchor")
    after = shape(plant)
    assert [life[1] for life in after] == [10, 5]
    assert given_up(plant) == 5
    assert anchor_file(plant.node).read_bytes() == remembered
    plant = kit.plant()  # the anchor names a place that was given up since: no restore, no further epoch
    kit.drain(kit.caller(plant, kit.memory(hub)))
    hub.apply()
    assert shape(plant) == after == shape(hub)
    assert plant.hash_of("ALD") == hub.hash_of("ALD")
    assert plant.applied_of("ALD") == 15
