"""The hub on PostgreSQL: the same doors, the same answers, the same rows."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from shared.db.engine import read, write
from shared.journal.quarantine import count_by_state
from shared.journal.rebuild import rebuild
from shared.journal.verify import verify
from sync.lease import Lease

pytestmark = pytest.mark.postgres


@pytest.fixture
def pair(kit, postgres_url):
    hub, plant = kit.hub(postgres_url), kit.plant()
    kit.enrol(plant, hub)
    kit.closing.append(hub.node.engine.dispose)
    return plant, hub


def test_a_backlog_arrives_and_becomes_the_same_rows_as_on_sqlite(kit, pair):
    plant, hub = pair
    pieces = plant.create(60)
    for number, piece in enumerate(pieces):
        plant.move(piece, f"bay{number % 7}")
    kit.drain(kit.caller(plant, kit.http(kit.serve(hub))), entries_max=50)
    assert hub.apply() == 120
    assert hub.hash_of("ALD") == plant.hash_of("ALD")
    with write(hub.node.engine) as conn:
        assert verify(conn).findings == ()
        rebuild(conn, hub.node.journal.appliers, 1)
    assert hub.hash_of("ALD") == plant.hash_of("ALD")


def test_concurrent_pushes_of_several_plants_and_of_one_twice(kit, pair):
    from concurrent.futures import ThreadPoolExecutor

    ald, hub = pair
    plants = [ald, kit.plant("BRK"), kit.plant("CLD")]
    for plant in plants[1:]:
        kit.enrol(plant, hub)
    url = kit.serve(hub)
    callers = [kit.caller(plant, kit.http(url)) for plant in plants]
    for plant in plants:
        plant.create(40)
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda caller: kit.drain(caller, 7), callers))
    hub.apply()
    for plant in plants:
        assert hub.entries_of(plant.code) == 40
        assert hub.hash_of(plant.code) == plant.hash_of(plant.code)


def test_the_way_down_from_postgresql(kit, pair):
    from sqlalchemy import select

    from shared.journal.tables import applied

    ald, hub = pair
    hub.create(5)
    with hub.node.journal.work() as tx:
        for fact_id in tx.conn.execute(select(applied.c.fact_id)).scalars().all():
            tx.relay(fact_id, "HUB>ALD")
    caller = kit.caller(ald, kit.http(kit.serve(hub)))
    assert caller.pull(caller.hello(), 0) == 5
    ald.apply()
    assert ald.hash_of("HUB") == hub.hash_of("HUB")


@pytest.mark.parametrize("table", ["entry", "fact"])
@pytest.mark.parametrize("deed", ["UPDATE {} SET fact_id = fact_id", "DELETE FROM {}"])
def test_the_database_refuses_to_change_the_journal(pair, table, deed):
    _, hub = pair
    hub.create(1)
    with pytest.raises(DBAPIError, match="append-only"), write(hub.node.engine) as conn:
        conn.execute(text(deed.format(table)))
    assert hub.entries_of("HUB") == 1


def test_poison_is_set_aside_on_postgresql_too(kit, pair):
    plant, hub = pair
    way = kit.http(kit.serve(hub))
    session = kit.caller(plant, way).hello()
    new = {"material_id": "m1", "kind": "slab", "aliases": [], "mass": {"g": 1, "basis": "weighed"}}
    facts = [
        kit.raw_fact(1, type="MaterialCreated", payload={"material": new, "origin": "made"}),
        # text that PostgreSQL cannot store
        kit.raw_fact(2, payload={"material_id": "m1", "place": "a\x00b"}, subjects=[{"id": "m1", "prev": None}]),
        kit.raw_fact(3, payload={"material_id": "m1", "place": "b"}, subjects=[{"id": "m1", "prev": None}]),
        kit.raw_fact(4, subjects=[{"id": "m\x004", "prev": None}], payload={"material_id": 4}),
        kit.raw_fact(5),
        b'{"fact_id":"\\u0000"}',
    ]
    way.send("push", kit.forge(plant, session, facts))
    assert hub.apply() == 2
    with read(hub.node.engine) as conn:
        assert count_by_state(conn) == {"quarantined": 3, "parked": 0, "held": 1}


def test_a_lease_has_one_holder_and_passes_on_when_it_ends(pair):
    import time

    _, hub = pair
    first, second = Lease(hub.node.engine, "x", 0.3), Lease(hub.node.engine, "x", 0.3)
    assert first.take()
    assert first.take()
    assert not second.take()
    time.sleep(0.35)
    assert second.take()
    assert not first.take()
    second.give_up()
    assert first.held()


@pytest.mark.parametrize("where", ["sqlite", "postgresql"])
def test_a_hub_made_by_its_command_refuses_changes_to_its_journal_on_both_databases(tmp_path, request, where):
    from central_hub.wiring import init_hub
    from shared.journal.fact import Draft, Occurred
    from shared.material.facts import MaterialMoved
    from shared.settings import HubSettings

    url = request.getfixturevalue("postgres_url") if where == "postgresql" else ""
    hub = init_hub(HubSettings(code="HUB", name="Hub", folder=tmp_path / "hub", database_url=url))
    with hub.journal.work() as tx:
        moved = MaterialMoved(material_id="m", place="yard")
        tx.record(Draft(payload=moved, subjects=("m",), actor="p", occurred=Occurred(1, "manual")))
    for table in ("entry", "fact"):
        for deed in (f"UPDATE {table} SET fact_id = fact_id", f"DELETE FROM {table}"):
            with pytest.raises(DBAPIError, match="append-only"), write(hub.node.engine) as conn:
                conn.execute(text(deed))
    hub.node.engine.dispose()
