"""A plant takes a long history back and goes on recording: the rows are made beside the work."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field

import pytest
from sqlalchemy import select

from shared.db.engine import read, write
from shared.ids import derived_id
from shared.journal.bulk import record_many
from shared.journal.fact import Draft, Occurred
from shared.journal.quarantine import quarantine
from shared.journal.reading import lives
from shared.journal.rebuild import rebuild
from shared.journal.verify import verify
from shared.material.facts import Mass, MaterialCreated, MaterialMoved, NewMaterial
from shared.storage import NoRoom
from sync import beside
from sync.beside import Beside
from sync.errors import StaleSession
from sync.proof import check_seals

HISTORY = 3_000
FEW = 300
AT_ONCE = 500


def slab(number):
    piece = derived_id(1, "slab", number)
    return piece, MaterialCreated(
        material=NewMaterial(material_id=piece, kind="slab", aliases=(), mass=Mass(1, "weighed")), origin="made"
    )


def history(box, count, first=0):
    """Facts of a plant that has worked for long: each slab is made and moved once."""
    drafts = []
    for number in range(first, first + count // 2):
        piece, made = slab(number)
        drafts += [
            Draft(made, (piece,), "p", Occurred(1, "manual")),
            Draft(MaterialMoved(material_id=piece, place=f"bay {number % 7}"), (piece,), "p", Occurred(1, "manual")),
        ]
    for at in range(0, len(drafts), AT_ONCE):
        with box.node.journal.work() as tx:
            record_many(tx, drafts[at : at + AT_ONCE])


@dataclass
class Recorder:
    """Somebody who goes on working: a slab moves, again and again; `waits` are seconds from one commit to the next."""

    box: object
    piece: str
    waits: list = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self):
        self.thread = threading.Thread(target=self.work)

    def work(self):
        last, number = time.monotonic(), 0
        while not self.ended.is_set():
            self.box.move(self.piece, f"place {number}")
            now, number = time.monotonic(), number + 1
            self.waits.append(now - last)
            last = now
            time.sleep(0.005)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.thread.join()


def level(kit, plant, hub):
    kit.drain(kit.caller(plant, kit.memory(hub)))
    hub.apply()
    assert plant.hash_of("ALD") == hub.hash_of("ALD")
    assert plant.applied_of("ALD") == hub.applied_of("ALD") == plant.entries_of("ALD")
    before = plant.hash_of("ALD")
    with write(plant.node.engine) as conn:
        assert verify(conn).findings == ()
        assert check_seals(conn, plant.node.key.public).findings == ()
        rebuild(conn, plant.node.journal.appliers, 1)
    assert plant.hash_of("ALD") == before


def lose(kit, count, url=""):
    """The hub holds a plant's history; the plant's disk is gone, and a new one works already: plant, hub, its slab."""
    hub, plant = kit.hub(), kit.plant()
    kit.enrol(plant, hub)
    history(plant, count)
    kit.drain(kit.caller(plant, kit.memory(hub)))
    hub.apply()
    plant.node.engine.dispose()
    for file in plant.node.settings.folder.glob("*.*"):
        file.unlink()
    plant = kit.installed_again("ALD", url)
    kit.enrol(plant, hub)
    kit.closing.append(plant.node.engine.dispose)
    (piece,) = plant.create(1)
    return plant, hub, piece


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def url(request):
    return request.getfixturevalue("postgres_url") if request.param == "postgresql" else ""


@pytest.mark.fault(22)
def test_recording_goes_on_while_a_long_history_is_taken_back(kit, url):
    plant, hub, piece = lose(kit, HISTORY, url)
    caller = kit.caller(plant, kit.memory(hub))
    session = caller.hello()
    with Recorder(plant, piece) as recorder:
        began, before = time.monotonic(), len(recorder.waits)
        assert caller.settle(session)
        took, meanwhile = time.monotonic() - began, len(recorder.waits) - before
    assert plant.entries_of("ALD") == HISTORY + 1 + len(recorder.waits)
    assert meanwhile >= 10
    assert max(recorder.waits) < took / 2, f"of {took:.1f} s recording waited {max(recorder.waits):.1f} s at a time"
    level(kit, plant, hub)


def test_what_is_recorded_between_the_comparison_and_the_swap_is_right_too(kit, url, monkeypatch):
    """A slab that came back is moved by somebody who does not see it yet, at the worst moment."""
    monkeypatch.setattr(beside, "FROM_ENTRIES", FEW)
    plant, hub, piece = lose(kit, FEW, url)
    swap = Beside.swap
    returned, _ = slab(0)
    seen = []

    def late(made, conn):
        seen.append(dict(made.suspects))
        return swap(made, conn)

    find = beside.find_suspects

    def find_and_record(conn, scratch):
        found = find(conn, scratch)
        if not seen:
            plant.move(piece, "meanwhile")
            plant.move(returned, "moved unseen")
        return found

    monkeypatch.setattr(Beside, "swap", late)
    monkeypatch.setattr(beside, "find_suspects", find_and_record)
    caller = kit.caller(plant, kit.memory(hub))
    assert caller.settle(caller.hello())
    assert len(seen) == 1
    with read(plant.node.engine) as conn:
        places = dict(conn.exec_driver_sql("SELECT material_id, place FROM material WHERE author = 'ALD'").all())
    assert (places[piece], places[returned]) == ("meanwhile", "moved unseen")
    level(kit, plant, hub)


def test_what_a_killed_process_left_beside_is_gone_after_a_start(kit):
    plant = kit.plant()
    left = plant.node.settings.folder / "rederive-abc"
    left.mkdir()
    (left / "scratch.sqlite").write_bytes(b"x")
    kit.plant()
    assert not left.exists()


def test_what_was_foreseen_wrongly_is_made_in_the_transaction(kit, monkeypatch):
    monkeypatch.setattr(beside, "FROM_ENTRIES", FEW)
    plant, hub, _ = lose(kit, FEW)
    leads, said = Beside._leads_here, []

    def elsewhere(made, conn):
        made.places[0] = (made.places[0][0], made.places[0][1], "0" * 64)
        said.append(leads(made, conn))
        return said[-1]

    monkeypatch.setattr(Beside, "_leads_here", elsewhere)
    monkeypatch.setattr(Beside, "settle", lambda made, engine: 0)
    caller = kit.caller(plant, kit.memory(hub))
    assert caller.settle(caller.hello())
    assert said == [False]
    level(kit, plant, hub)


def test_without_room_for_rows_beside_they_are_made_in_the_transaction(kit, monkeypatch):
    monkeypatch.setattr(beside, "FROM_ENTRIES", FEW)
    plant, hub, _ = lose(kit, FEW)

    def full(*_):
        raise NoRoom("The disk is full.")

    monkeypatch.setattr(beside, "_apply_epoch", full)
    caller = kit.caller(plant, kit.memory(hub))
    assert caller.settle(caller.hello())
    level(kit, plant, hub)


def test_what_cannot_be_read_is_set_aside_since_now_and_holds_its_subject(kit, monkeypatch):
    """As a rebuild in the transaction would leave it."""
    monkeypatch.setattr(beside, "FROM_ENTRIES", 3)
    hub, plant = kit.hub(), kit.plant()
    kit.enrol(plant, hub)
    plant.create(3)
    session = kit.meet(kit.caller(plant, kit.memory(hub)))
    epoch, seq, head, _ = shape_of(plant)
    broken = kit.raw_fact(1, payload={"material_id": 5})
    after = kit.raw_fact(2, subjects=[{"id": "m1", "prev": None}])
    kit.drain(kit.caller(plant, kit.memory(hub)))
    body = kit.forge(plant, session, [broken, after], first=seq + 1, prev=head, epoch=epoch)
    with pytest.raises(StaleSession):
        kit.memory(hub).send("push", body)
    session = kit.caller(plant, kit.memory(hub)).hello()
    kit.memory(hub).send("push", kit.forge(plant, session, [broken, after], first=seq + 1, prev=head, epoch=epoch))
    plant.create(1)
    caller = kit.caller(plant, kit.memory(hub))
    assert caller.settle(caller.hello())
    with read(plant.node.engine) as conn:
        found = conn.execute(select(quarantine.c.state, quarantine.c.since_ms).order_by(quarantine.c.seq)).all()
    assert [tuple(row) for row in found] == [("quarantined", kit.clock.now_ms()), ("held", kit.clock.now_ms())]


def shape_of(box):
    with read(box.node.engine) as conn:
        life = lives(conn, "ALD")[-1]
    return life.epoch, life.seq, life.hash, life.parent
