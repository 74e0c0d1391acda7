"""Whatever a node says to another, it says while it holds no transaction: a slow peer never holds up who records (I12)."""

from __future__ import annotations

import shutil
import threading
from collections import defaultdict

import pytest
from sqlalchemy import event

from shared.db import engine as engine_module
from sync.compare_door import door, install_comparing
from sync.comparing import Comparing
from sync.enrolment import enrol
from sync.errors import SyncError
from sync.sight_door import door as sight_door
from sync.sight_door import install_sights
from sync.transport import HttpTransport


class Open:
    """Connections of an engine on which each thread has a transaction open."""

    def __init__(self, engine):
        self.engine = engine
        self.of_thread = defaultdict(set)
        event.listen(engine, "begin", self.began)
        for name in ("commit", "rollback"):
            event.listen(engine, name, self.ended)

    def began(self, conn):
        self.of_thread[threading.get_ident()].add(id(conn))

    def ended(self, conn):
        self.of_thread[threading.get_ident()].discard(id(conn))

    @property
    def here(self):
        return len(self.of_thread[threading.get_ident()])


@pytest.fixture
def watched(monkeypatch):
    """Every call over HTTP, with the transactions that its thread had open then."""
    engines, calls = [], []
    send = HttpTransport.send

    def seen(do, tell):
        def done(conn):
            do(conn)
            for one in engines:
                if one.engine is conn.engine:
                    tell(one, conn)

        return done

    # a connection that is kept for writing begins and ends past SQLAlchemy
    monkeypatch.setattr(engine_module, "begin", seen(engine_module.begin, Open.began))
    monkeypatch.setattr(engine_module, "commit", seen(engine_module.commit, Open.ended))

    def looks(way, door, body):
        calls.append((door, sum(one.here for one in engines)))
        return send(way, door, body)

    monkeypatch.setattr(HttpTransport, "send", looks)
    return engines, calls


def put_back(kit, plant, copy):
    plant.node.engine.dispose()
    file = plant.node.settings.folder / "node.sqlite"
    for left in file.parent.glob("node.sqlite*"):
        left.unlink()
    shutil.copy(copy, file)
    return kit.plant()


def test_the_watch_sees_a_call_inside_a_transaction(kit, watched):
    engines, calls = watched
    plant = kit.plant()
    engines.append(Open(plant.node.engine))
    with pytest.raises(SyncError), plant.node.journal.work():
        HttpTransport("http://127.0.0.1:9", connect_s=0.2).send("hello", b"")
    assert calls == [("hello", 1)]


def test_no_call_of_a_plant_happens_inside_a_transaction(kit, watched):
    """Enrolled by token (refused), filled, restored, its history fetched, the hub's own given back, compared."""
    engines, calls = watched
    hub, plant = kit.hub(), kit.plant()
    kit.enrol(plant, hub)
    server = kit.serve(hub)
    server.server.app.register_blueprint(door)
    server.server.app.register_blueprint(sight_door)
    install_comparing(server.server.app, hub.node, lambda _author: None)
    install_sights(server.server.app, hub.node)
    way = kit.http(server)
    engines.append(Open(plant.node.engine))
    plant.create(4)
    with plant.node.engine.connect() as conn:
        conn.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    kept = shutil.copy(plant.node.settings.folder / "node.sqlite", kit.folder / "kept")
    plant.create(40)
    kit.drain(kit.caller(plant, way), entries_max=7)
    hub.create(1)
    with hub.node.engine.connect() as conn:
        (mine,) = conn.exec_driver_sql("SELECT fact_id FROM fact WHERE author = 'HUB'").scalars()
    with hub.node.journal.work() as tx:
        tx.relay(mine, "HUB>ALD")
    caller = kit.caller(plant, way)
    caller.pull(kit.meet(caller), 0)

    plant.ground.anchoring.write_now()
    plant = put_back(kit, plant, kept)
    engines.append(Open(plant.node.engine))
    for number in range(5):
        plant.create(1)
        kit.drain(kit.caller(plant, way), entries_max=number + 1)
    plant = kit.plant()
    engines.append(Open(plant.node.engine))
    exchange = kit.exchange(plant, way)
    exchange.start()
    _until(lambda: len(calls) > 60)
    exchange.stop()
    hub.apply()
    Comparing(plant.node, way).compare()
    with pytest.raises(SyncError):
        enrol(plant.node, "no-such-token", way)

    doors = {door for door, _ in calls}
    assert {"hello", "push", "pull", "history", "compare", "enrol"} <= doors
    assert [call for call in calls if call[1]] == []


def _until(condition, end_s=60):
    done = threading.Event()
    for _ in range(end_s * 50):
        if condition():
            return
        done.wait(0.02)
    raise AssertionError("it did not come to that")
