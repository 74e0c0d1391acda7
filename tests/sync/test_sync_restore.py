"""Restored from a backup: the hub gets everything again, and no number is used twice by either side."""

from __future__ import annotations

import shutil
import threading
import time

import pytest
from sqlalchemy import select

from shared.db.engine import read
from shared.journal.anchor import read_anchor
from shared.journal.life import get_identity
from shared.journal.reading import lives
from shared.journal.tables import applied
from shared.journal.tables import head as heads
from shared.journal.verify import verify
from sync.bundles.export import export, road_up
from sync.errors import StaleSession, Unreachable
from sync.messages import Seal
from sync.pack import split
from sync.seal import parse, payload_of, read_envelope
from sync.station import anchor_file, build_calling
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


def knows(box, seal):
    """Whether the anchor that lies there would tell a database of before this promise from the present one."""
    head = read_anchor(anchor_file(box.node)).heads[seal.stream]
    return head.recorded_at_ms > seal.complete_through and (head.epoch != seal.epoch or head.seq >= seal.last)


def watching(way, box, seen):
    send = way.send

    def looks(door, body):
        if door == "push":
            seal = parse(payload_of(read_envelope(split(body)[0])), Seal)
            assert knows(box, seal)
            seen.append(seal.kind)
        return send(door, body)

    way.send = looks
    return way


def test_what_a_plant_promises_is_in_its_anchor_before_it_leaves(kit):
    hub, plant = kit.hub(), kit.plant()
    kit.enrol(plant, hub)
    plant.create(5)
    seen = []
    way = watching(kit.memory(hub), plant, seen)
    kit.drain(kit.caller(plant, way, covered=plant.ground.anchoring.cover), entries_max=2)
    kit.clock.advance(60_000)
    caller = kit.caller(plant, way, covered=plant.ground.anchoring.cover)
    caller.push(kit.meet(caller), None)
    assert seen == ["batch", "batch", "batch", "heartbeat", "heartbeat"]
    before = anchor_file(plant.node).stat().st_ino
    way.send = kit.memory(hub).send
    plant.ground.anchoring.cover(caller.prepare(kit.meet(caller), None).seal)
    plant.ground.anchoring.write_now()
    assert anchor_file(plant.node).stat().st_ino == before, "what it knows is not written again"


def test_the_anchor_of_a_running_exchange_knows_what_it_promises(kit):
    """The whole station, as a plant runs it: threads, HTTP, and nothing recorded that would ring the anchor's bell."""
    hub, plant = kit.hub(), kit.plant()
    kit.enrol(plant, hub)
    server, seen = kit.serve(hub), []
    station = build_calling(plant.node, lambda: None, 10, watching(kit.http(server), plant, seen))
    station.ground.anchoring.start = lambda: None  # it never gets its turn
    station.ground.anchoring._thread = threading.Thread(target=lambda: None)
    station.ground.anchoring._thread.start()
    station.start()
    kit.closing.append(station.stop)
    end = time.monotonic() + 30
    while seen.count("heartbeat") < 2:
        assert time.monotonic() < end
        time.sleep(0.02)


def test_what_the_hub_promises_and_what_goes_on_a_stick_is_in_the_anchor_too(kit):
    hub, plant = kit.hub(), kit.plant()
    kit.enrol(plant, hub)
    caller = kit.caller(plant, kit.memory(hub))
    kit.drain(caller)
    kit.clock.advance(60_000)
    session = kit.meet(caller)
    caller.pull(session, 0)
    with read(hub.node.engine) as conn:
        head = conn.execute(select(heads).where(heads.c.stream == "HUB>ALD")).one()
    kept = read_anchor(anchor_file(hub.node)).heads["HUB>ALD"]
    assert (kept.seq, kept.recorded_at_ms) == (head.seq, head.recorded_at_ms) == (0, kit.clock.now_ms())
    plant.ground.anchoring.write_now()
    before = read_anchor(anchor_file(plant.node))
    plant.create(3)
    kit.clock.advance(60_000)
    export(road_up(plant.node, lambda: None), kit.folder / "up.bundle")
    after = read_anchor(anchor_file(plant.node))
    assert (after.heads["ALD"].seq, after.heads["ALD"].recorded_at_ms) == (3, kit.clock.now_ms())
    assert (after.instance, after.peers, after.floors) == (before.instance, before.peers, before.floors)


def test_two_who_write_the_anchor_never_put_an_older_one_in_place(kit):
    plant = kit.plant()
    plant.create(1)
    done = threading.Event()

    def again():
        while not done.is_set():
            plant.ground.anchoring.write_now()

    others = [threading.Thread(target=again) for _ in range(3)]
    for thread in others:
        thread.start()
    for number in range(2, 40):
        plant.create(1)
        plant.ground.anchoring.write_now()
        assert read_anchor(anchor_file(plant.node)).heads["ALD"].seq >= number
    done.set()
    for thread in others:
        thread.join()
