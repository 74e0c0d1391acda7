"""Restored from a backup: the hub gets everything again, and no number is used twice by either side."""

from __future__ import annotations

import shutil

import pytest
from sqlalchemy import select

from shared.db.engine import read
from shared.journal.anchor import read_anchor
from shared.journal.life import get_identity
from shared.journal.reading import lives
from shared.journal.tables import applied
from shared.journal.verify import verify
from sync.errors import StaleSession, Unreachable
from sync.station import anchor_file
from sync.tables import incident


def backup(box):
    """A copy of a node's database, consistent because nobody writes."""
    file = box.node.settings.folder / "node.sqlite"
    with box.node.engine.connect() as conn:
        conn.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    return shutil.copy(file, file.with_suffix(".backup"))


def restore(box, copy):
    """Put an older database in place of the present one; the anchor beside it stays."""
    box.node.engine.dispose()
    file = box.node.settings.folder / "node.sqlite"
    for leftover in (file, file.with_suffix(".sqlite-wal"), file.with_suffix(".sqlite-shm")):
        leftover.unlink(missing_ok=True)
    shutil.copy(copy, file)


def sound(box):
    with read(box.node.engine) as conn:
        return verify(conn).findings == ()


@pytest.mark.fault(45)
def test_a_hub_restored_to_an_older_copy_gets_everything_again(kit):
    hub, plant = kit.hub(), kit.plant()
    kit.enrol(plant, hub)
    plant.create(5)
    kit.drain(kit.caller(plant, kit.memory(hub)), entries_max=2)
    hub.apply()
    old = backup(hub)
    plant.create(7)
    kit.drain(kit.caller(plant, kit.memory(hub)), entries_max=2)
    hub.apply()
    before = hub.hash_of("ALD")
    restore(hub, old)
    hub = kit.hub()
    assert hub.entries_of("ALD") == 5
    kit.drain(kit.caller(plant, kit.memory(hub)), entries_max=3)
    hub.apply()
    assert hub.entries_of("ALD") == 12
    assert hub.hash_of("ALD") == before == plant.hash_of("ALD")
    assert sound(hub)


def test_a_hub_whose_streams_were_emptied_gets_everything_again(kit):
    hub, plant = kit.hub(), kit.plant()
    kit.enrol(plant, hub)
    old = backup(hub)
    plant.create(6)
    kit.drain(kit.caller(plant, kit.memory(hub)))
    restore(hub, old)
    hub = kit.hub()
    kit.drain(kit.caller(plant, kit.memory(hub)))
    hub.apply()
    assert hub.hash_of("ALD") == plant.hash_of("ALD")


@pytest.mark.fault(49)
def test_a_session_from_before_the_restore_is_void(kit):
    hub, plant = kit.hub(), kit.plant()
    kit.enrol(plant, hub)
    hub.create(1)
    hub.ground.anchoring.write_now()
    plant.create(2)
    caller = kit.caller(plant, kit.memory(hub))
    session = caller.hello()
    old = backup(hub)
    hub.create(1)
    hub.ground.anchoring.write_now()
    with read(hub.node.engine) as conn:
        before = get_identity(conn)
    restore(hub, old)
    hub = kit.hub()
    with read(hub.node.engine) as conn:
        assert get_identity(conn).incarnation != before.incarnation
    late = kit.caller(plant, kit.memory(hub))
    with pytest.raises(StaleSession):
        late.push(session, late.next_run(10))


def test_a_restored_hub_writes_on_in_a_new_epoch_and_the_plant_follows(kit):
    hub, plant = kit.hub(), kit.plant()
    kit.enrol(plant, hub)

    def send_down(count):
        hub.create(count)
        with hub.node.journal.work() as tx:
            for fact_id in tx.conn.execute(select(applied.c.fact_id).where(applied.c.author == "HUB")).scalars().all():
                tx.relay(fact_id, "HUB>ALD")
        hub.ground.anchoring.write_now()

    def pull_all():
        caller = kit.caller(plant, kit.memory(hub))
        session = caller.hello()
        while caller.pull(session, 0):
            pass
        plant.apply()

    send_down(2)
    pull_all()
    old = backup(hub)
    send_down(3)
    pull_all()
    assert plant.entries_of("HUB>ALD") == 5
    restore(hub, old)
    pieces = hub.pieces
    hub = kit.hub()
    hub.pieces = pieces
    with read(hub.node.engine) as conn:
        assert [life.ordinal for life in lives(conn, "HUB>ALD")] == [1, 2]
        assert lives(conn, "HUB>ALD")[1].parent[1] == 2
    send_down(1)
    pull_all()
    with read(plant.node.engine) as conn:
        assert [life.seq for life in lives(conn, "HUB>ALD")] == [5, 1]
    assert plant.applied_of("HUB") == 6  # what the hub lost is still here, what it wrote since has come
    assert sound(plant)
    assert sound(hub)


@pytest.mark.fault(40)
def test_a_plant_restored_to_an_older_copy_opens_a_new_epoch_before_it_writes(kit):
    hub, plant = kit.hub(), kit.plant()
    kit.enrol(plant, hub)
    plant.create(4)
    old = backup(plant)
    plant.create(3)
    plant.ground.anchoring.write_now()
    kit.drain(kit.caller(plant, kit.memory(hub)))
    pieces = plant.pieces
    restore(plant, old)
    plant = kit.plant()
    plant.pieces = [*pieces]
    plant.create(2)
    kit.drain(kit.caller(plant, kit.memory(hub)))
    hub.apply()
    with read(hub.node.engine) as conn:
        assert [life.seq for life in lives(conn, "ALD")] == [7, 2]
        assert lives(conn, "ALD")[1].parent[1] == 4
    assert sound(hub)
    assert hub.applied_of("ALD") == 9
    with read(plant.node.engine) as conn:
        assert set(conn.execute(select(incident.c.kind)).scalars()) >= {"restored"}


@pytest.mark.parametrize("anchor", ["missing", "garbled"])
@pytest.mark.fault(39)
def test_without_a_readable_anchor_a_node_that_has_written_opens_a_new_epoch(kit, anchor):
    plant = kit.plant()
    plant.create(2)
    file = anchor_file(plant.node)
    file.unlink()
    if anchor == "garbled":
        file.write_bytes(b"{not json")
    again = kit.plant()
    with read(again.node.engine) as conn:
        assert [life.ordinal for life in lives(conn, "ALD")] == [1, 2]


@pytest.mark.fault(19)
def test_an_anchor_that_lags_behind_is_harmless(kit):
    plant = kit.plant()
    plant.create(2)
    plant.ground.anchoring.write_now()
    plant.create(3)
    again = kit.plant()
    with read(again.node.engine) as conn:
        assert len(lives(conn, "ALD")) == 1
    again.ground.anchoring.write_now()
    assert read_anchor(anchor_file(again.node)).heads["ALD"].seq == 5


def test_the_anchor_is_written_soon_after_a_commit_by_its_thread(kit):
    import time

    plant = kit.plant()
    plant.ground.anchoring.start()
    plant.create(3)
    end = time.monotonic() + 5
    while (
        (found := read_anchor(anchor_file(plant.node))) is None
        or "ALD" not in found.heads
        or found.heads["ALD"].seq < 3
    ):
        assert time.monotonic() < end
        time.sleep(0.02)
    plant.create(1)
    plant.ground.anchoring.stop()
    assert read_anchor(anchor_file(plant.node)).heads["ALD"].seq == 4


def test_an_unreachable_hub_leaves_everything_as_it_was(kit):
    hub, plant = kit.hub(), kit.plant()
    kit.enrol(plant, hub)
    plant.create(3)
    way = kit.memory(hub)
    way.connected = False
    with pytest.raises(Unreachable):
        kit.drain(kit.caller(plant, way))
    way.connected = True
    assert kit.drain(kit.caller(plant, way)) == 1
