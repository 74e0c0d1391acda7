"""Lost disks, copied machines, numbers on steel and PostgreSQL's own ways of going back."""

from __future__ import annotations

import dataclasses
import itertools
import random
import shutil
from types import SimpleNamespace

import pytest
from click.testing import CliRunner
from sqlalchemy import select, update

from central_hub.hub import Hub
from central_hub.plants import service
from local_mes.model.domain import Scheme
from local_mes.model.high_marks import NumberMarks
from local_mes.model.numbers import next_number
from shared.cli import cli
from shared.db.engine import read, write
from shared.errors import Refused
from shared.journal import life
from shared.journal.highest import NUMBER_GAP, NoValues, Outside
from shared.journal.life import get_identity, node_life
from shared.journal.reading import lives
from shared.journal.verify import verify
from shared.settings import HubSettings
from sync.beginning import anchor_file, begin
from sync.errors import PeerHeld
from sync.losses import list_missing
from sync.peers import keep_key
from sync.proof import check_seals
from sync.recovery_commands import accept_history, set_peer
from sync.station import build_called, make_ground
from sync.tables import incident, visit

SLABS = Scheme(code="slab", prefix="S", width=6)
NUMBERS = Outside(NumberMarks(SimpleNamespace(numbering=(SLABS,))), NoValues())  # type: ignore[arg-type]


class Door:
    """The hub's enrolment, by its real service."""

    def __init__(self, hub):
        self.hub = Hub(hub.node, HubSettings(code="HUB", name="HUB", folder=hub.node.settings.folder))

    def send(self, _door, body):
        return service.enrol_plant(self.hub, body, "")


def enrol_by_token(plant, hub):
    from sync.enrolment import enrol

    door = Door(hub)
    enrol(plant.node, service.issue_token(door.hub, plant.code).token, door)


def lose_disk(box):
    box.node.engine.dispose()
    shutil.rmtree(box.node.settings.folder)


def print_label(plant, piece=None):
    """Record a slab's move under a number that is painted on it."""
    from shared.journal.fact import Draft, Occurred
    from shared.material.facts import MaterialMoved

    with plant.node.journal.work() as tx:
        label = next_number(tx, SLABS)
        moved = MaterialMoved(material_id=label, place="painted")
        tx.record(Draft(payload=moved, subjects=(label,), actor="p", occurred=Occurred(1, "manual")))
    return label


def shape(box, stream="ALD"):
    with read(box.node.engine) as conn:
        return [(life.epoch, life.seq, life.hash, life.parent) for life in lives(conn, stream)]


def kinds(box):
    with read(box.node.engine) as conn:
        return set(conn.execute(select(incident.c.kind)).scalars())


def sound(box):
    with read(box.node.engine) as conn:
        return verify(conn).findings == () and check_seals(conn, box.node.key.public).findings == ()


def sync(kit, plant, hub, outside=NUMBERS):
    kit.drain(kit.caller(plant, kit.memory(hub), outside=outside), 3)
    hub.apply()


def start(kit, code="ALD"):
    """A plant of this code as it lies in its folder, with its number counters."""
    from tests.sync.conftest import Box, make_node

    node = make_node(kit.folder, code, kit.clock)
    begin(node, NUMBERS)
    return Box(node, make_ground(node, 500, NUMBERS))


@pytest.mark.parametrize("wrote_before_enrolling", [0, 2])
def test_a_plant_whose_disk_is_gone_takes_its_history_back_and_goes_on_with_new_numbers(kit, wrote_before_enrolling):
    hub, plant = kit.hub(), kit.plant()
    enrol_by_token(plant, hub)
    pieces = plant.create(5)
    labels = [print_label(plant) for _ in range(3)]
    sync(kit, plant, hub)
    before, content = shape(plant), plant.hash_of("ALD")
    lose_disk(plant)
    plant = kit.plant()
    for number in range(wrote_before_enrolling):
        plant.move(pieces[number], "found")
    enrol_by_token(plant, hub)
    sync(kit, plant, hub)
    assert shape(plant)[:1] == before
    assert len(shape(plant)) == 2
    assert shape(plant)[1][1] == wrote_before_enrolling
    if not wrote_before_enrolling:
        assert plant.hash_of("ALD") == content
    assert plant.hash_of("ALD") == hub.hash_of("ALD")
    assert int(print_label(plant)[1:]) > int(labels[-1][1:]) + NUMBER_GAP
    sync(kit, plant, hub)
    assert plant.hash_of("ALD") == hub.hash_of("ALD")
    assert sound(plant)
    assert sound(hub)
    assert kinds(plant) == {"recovered", "numbers_ahead"} - ({"numbers_ahead"} if not wrote_before_enrolling else set())


def test_an_emptied_hub_is_filled_by_its_plants_and_lists_what_only_it_had_written(kit):
    hub, plants = kit.hub(), [kit.plant(code) for code in ("ALD", "BRK")]
    for plant in plants:
        enrol_by_token(plant, hub)
        plant.create(4)
        sync(kit, plant, hub)
    hub.create(3)
    with hub.node.journal.work() as tx:
        from shared.journal.tables import applied

        for fact_id in tx.conn.execute(select(applied.c.fact_id).where(applied.c.author == "HUB")).scalars().all():
            tx.relay(fact_id, "HUB>ALD")
    caller = kit.caller(plants[0], kit.memory(hub))
    caller.pull(kit.meet(caller), 0)
    plants[0].apply()
    content = {plant.code: hub.hash_of(plant.code) for plant in plants}
    lose_disk(hub)
    hub = kit.hub()
    for plant in plants:
        enrol_by_token(plant, hub)
        sync(kit, plant, hub)
    assert {plant.code: hub.hash_of(plant.code) for plant in plants} == content
    with read(hub.node.engine) as conn:
        (gone,) = list_missing(conn)
    assert (gone.stream, gone.first, gone.last, gone.held_by) == ("HUB>ALD", 1, 3, "ALD")
    assert "held by ALD" in str(gone)
    assert plants[0].applied_of("HUB") == 3


@pytest.fixture
def twins(kit):
    """A plant and a copy of its machine, both running, each a process of its own."""
    hub, one = kit.hub(), kit.plant()
    kit.enrol(one, hub)
    one.create(3)
    sync(kit, one, hub)
    one.ground.anchoring.write_now()
    with one.node.engine.connect() as conn:
        conn.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    shutil.copytree(one.node.settings.folder, kit.folder / "copy" / "ALD")
    from tests.sync.conftest import make_box

    two = make_box(kit.folder / "copy", "ALD", kit.clock)
    two.pieces = list(one.pieces)
    return one, two, hub


@pytest.mark.fault(50)
def test_a_copied_machine_is_found_out_by_its_second_turn_and_both_go_on_producing(kit, twins):
    one, two, hub = twins
    callers = [kit.caller(box, kit.memory(hub)) for box in (one, two)]
    held_at = None
    for turn in range(6):
        box, caller = (one, two)[turn % 2], callers[turn % 2]
        box.move(box.pieces[0], f"bay {turn} of {turn % 2}")
        try:
            kit.drain(caller)
        except PeerHeld:
            held_at = turn
            break
    assert held_at == 3  # one, two, one again (first turn), two again (second)
    assert "clone_suspect" in kinds(hub)
    for box in (one, two):
        box.move(box.pieces[1], "still producing")
        with pytest.raises(PeerHeld):
            kit.caller(box, kit.memory(hub)).hello()
    hub.apply()
    assert sound(hub)
    set_peer(hub.node, "ALD", "active")  # two is switched off
    sync(kit, one, hub)
    assert one.hash_of("ALD") == hub.hash_of("ALD")
    assert sound(one)
    assert kit.drain(callers[0]) == 0
    with read(hub.node.engine) as conn:
        assert len(conn.execute(select(visit)).all()) == 2


class InTurn:
    """The way to a hub of two processes: each call reaches the other one than the call before."""

    def __init__(self, kit, hub):
        other = dataclasses.replace(hub, desk=build_called(hub.node, 500, first=False).desk)
        self.ways = itertools.cycle([kit.memory(hub), kit.memory(other)])

    def send(self, door, body):
        return next(self.ways).send(door, body)


def test_a_copied_machine_is_found_out_by_a_hub_of_two_processes(kit, twins):
    """Each process knew only of the hellos that it had answered itself, and asked nobody at the push."""
    one, two, hub = twins
    callers = [kit.caller(box, InTurn(kit, hub)) for box in (one, two)]
    for turn in range(3):
        box = (one, two)[turn % 2]
        box.move(box.pieces[0], f"bay {turn} of {turn % 2}")
        kit.drain(callers[turn % 2])
    two.move(two.pieces[0], "bay 3 of 1")
    with pytest.raises(PeerHeld):
        kit.drain(callers[1])
    assert "clone_suspect" in kinds(hub)


def test_a_held_plant_that_is_enrolled_again_is_not_held_for_the_turns_of_before(kit, twins):
    one, two, hub = twins
    callers = [kit.caller(box, kit.memory(hub)) for box in (one, two)]
    for turn in range(4):
        (one, two)[turn % 2].move(one.pieces[0], f"bay {turn}")
        if turn < 3:
            kit.drain(callers[turn % 2])
    with pytest.raises(PeerHeld):
        kit.drain(callers[1])
    enrol_by_token(one, hub)
    sync(kit, one, hub)
    sync(kit, one, hub)
    assert one.hash_of("ALD") == hub.hash_of("ALD")


@pytest.mark.fault(29)
def test_a_plant_that_stood_still_says_hello_again_and_is_no_clone(kit):
    from sync.errors import StaleSession

    hub, plant = kit.hub(), kit.plant()
    kit.enrol(plant, hub)
    plant.create(2)
    frozen = kit.caller(plant, kit.memory(hub))
    session = kit.meet(frozen)
    for _ in range(3):  # meanwhile another process of the plant took over
        sync(kit, plant, hub)
        plant.create(1)
        with pytest.raises(StaleSession):
            frozen.push(session, frozen.next_run(10))
        session = kit.meet(frozen)
        frozen.push(session, frozen.next_run(10))
    assert "clone_suspect" not in kinds(hub)


@pytest.mark.fault(54)
@pytest.mark.parametrize("seed", range(3))
def test_a_label_is_never_printed_twice_whatever_is_restored(kit, seed):
    """Databases are put back with their anchor left alone; whole machines only to where the hub was told of them."""
    dice, hub = random.Random(seed), kit.hub()
    plant = start(kit)
    kit.enrol(plant, hub)
    printed, backups = [], []
    for _ in range(14):
        printed += [print_label(plant) for _ in range(dice.randint(1, 3))]
        plant.ground.anchoring.write_now()
        deed = dice.choice(["sync", "back up", "put back", "put back", "machine", "no anchor"])
        if deed == "sync" or deed == "machine":
            sync(kit, plant, hub)
        if deed == "back up":
            with plant.node.engine.connect() as conn:
                conn.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
            folder = kit.folder / f"kept{len(backups)}"
            shutil.copytree(plant.node.settings.folder, folder)
            backups.append(folder)
        if backups and deed in ("put back", "machine"):
            plant.node.engine.dispose()
            kept = anchor_file(plant.node).read_bytes()
            shutil.rmtree(plant.node.settings.folder)
            shutil.copytree(dice.choice(backups), plant.node.settings.folder)
            if deed == "put back":
                anchor_file(plant.node).write_bytes(kept)
            plant = start(kit)
            if deed == "machine":  # nothing in it knows; the hub does, and it is met before the next label
                sync(kit, plant, hub)
        if deed == "no anchor":
            plant.node.engine.dispose()
            anchor_file(plant.node).unlink()
            plant = start(kit)
    assert len(set(printed)) == len(printed)


@pytest.mark.parametrize("rule", ["as it is", "gone"])
def test_the_look_at_the_anchor_is_what_keeps_a_label_from_being_printed_twice_offline(kit, monkeypatch, rule):
    plant = start(kit)
    printed = [print_label(plant)]
    with plant.node.engine.connect() as conn:
        conn.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    file = plant.node.settings.folder / "node.sqlite"
    old = file.read_bytes()
    printed += [print_label(plant) for _ in range(2)]
    plant.ground.anchoring.write_now()
    plant.node.engine.dispose()
    file.write_bytes(old)
    for leftover in (file.with_suffix(".sqlite-wal"), file.with_suffix(".sqlite-shm")):
        leftover.unlink(missing_ok=True)
    if rule == "gone":
        monkeypatch.setattr(life, "_is_behind", lambda *_: False)
        monkeypatch.setattr(life, "ahead_of", lambda *_: [], raising=False)
    plant = start(kit)
    printed += [print_label(plant) for _ in range(2)]
    assert (len(set(printed)) == len(printed)) == (rule == "as it is")


def test_the_hub_tells_higher_numbers_even_when_no_entry_is_missing(kit):
    hub, plant = kit.hub(), start(kit)
    kit.enrol(plant, hub)
    labels = [print_label(plant) for _ in range(3)]
    sync(kit, plant, hub)
    with write(plant.node.engine) as conn:
        NUMBERS.numbers.raise_to(conn, {"slab": 9})
    kit.drain(kit.caller(plant, kit.memory(hub), outside=NUMBERS))
    with write(plant.node.engine) as conn:
        conn.exec_driver_sql("UPDATE number_counter SET last = 3")
    sync(kit, plant, hub)
    assert int(print_label(plant)[1:]) == 9 + NUMBER_GAP + 1
    assert labels == ["S000001", "S000002", "S000003"]
    told = len(kinds(plant))
    sync(kit, plant, hub)
    assert len(kinds(plant)) == told


def test_a_gap_that_the_scheme_has_no_room_for_is_left_out(kit):
    plant = start(kit)
    with write(plant.node.engine) as conn:
        NUMBERS.numbers.raise_to(conn, {"slab": 999_500, "of another scheme": 7})
        assert NUMBERS.numbers.read(conn) == {"slab": 999_500}
        NUMBERS.numbers.raise_to(conn, {"slab": 999_600 + NUMBER_GAP})
        assert NUMBERS.numbers.read(conn) == {"slab": 999_600}
        NUMBERS.numbers.raise_to(conn, {"slab": 5})
        assert NUMBERS.numbers.read(conn) == {"slab": 999_600}


@pytest.mark.postgres
@pytest.mark.fault(51, 52)
def test_another_timeline_or_cluster_of_postgresql_is_a_new_life(kit, postgres_url):
    hub = kit.hub(postgres_url)
    kit.closing.append(hub.node.engine.dispose)
    hub.create(2)
    hub.ground.anchoring.write_now()
    with read(hub.node.engine) as conn:
        before = get_identity(conn)
        mark = conn.execute(select(node_life.c.value).where(node_life.c.name == "database")).scalar_one()
    assert mark.count("/") == 2
    assert begin(hub.node).reason == ""
    other = mark.rsplit("/", 1)[0] + "/00000009"
    with write(hub.node.engine) as conn:
        conn.execute(update(node_life).where(node_life.c.name == "database").values(value=other))
    assert begin(hub.node).reason == "another database or timeline"
    with read(hub.node.engine) as conn:
        assert get_identity(conn) != before
        assert [life.ordinal for life in lives(conn, "HUB")] == [1, 2]
    assert begin(hub.node).reason == ""


@pytest.mark.postgres
@pytest.mark.fault(41)
def test_a_plant_on_postgresql_gives_a_branch_up_and_takes_history_over_as_on_sqlite(kit, postgres_url):
    """The database cannot be rolled back here: the hub is taught another continuation instead."""
    hub = kit.hub()
    twin = kit.plant()
    kit.enrol(twin, hub)
    from tests.sync.conftest import Box, make_box

    pieces = twin.create(3)
    sync(kit, twin, hub)
    copied = make_box(kit.folder / "pg", "ALD", kit.clock, postgres_url)
    kit.closing.append(copied.node.engine.dispose)
    plant = Box(copied.node, copied.ground)
    kit.enrol(plant, hub)  # its disk was lost: another key
    for here in (plant, twin):
        with write(here.node.engine) as conn:
            for there in (plant, twin):
                keep_key(conn, "ALD", there.node.key.public, 1)
    sync(kit, plant, hub)
    assert [life[1] for life in shape(plant)] == [3, 0]
    plant.move(pieces[0], "bay 1")
    sync(kit, plant, hub)
    assert plant.hash_of("ALD") == hub.hash_of("ALD")
    kit.enrol(twin, hub)  # the old machine turns up and writes on in the epoch that was ended
    twin.move(pieces[1], "bay 2")
    sync(kit, twin, hub)
    kit.enrol(plant, hub)
    plant.move(pieces[2], "bay 3")
    sync(kit, plant, hub)
    assert plant.hash_of("ALD") == hub.hash_of("ALD")
    assert plant.applied_of("ALD") == 6
    assert sound(plant)


def test_operators_commands(kit):
    hub, plant = kit.hub(), kit.plant()
    kit.enrol(plant, hub)
    assert set_peer(hub.node, "ALD", "held") == "ALD is held at HUB."
    with pytest.raises(PeerHeld):
        kit.caller(plant, kit.memory(hub)).hello()
    set_peer(hub.node, "ALD", "revoked")
    with pytest.raises(Refused, match="revoked"):
        set_peer(hub.node, "ALD", "active")
    assert "at the next contact" in accept_history(plant.node, "0" * 32, "1" * 64)
    help_text = CliRunner().invoke(cli, ["hub", "peer", "--help"]).output
    assert all(word in help_text for word in ("hold", "release", "revoke", "list"))
