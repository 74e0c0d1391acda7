"""Two nodes level with each other: over memory and over HTTP, by single steps and by the running loop."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from sqlalchemy import select

from shared.db.engine import read, write
from shared.journal.tables import applied
from sync.link import complete_through, report_caller, report_link
from sync.tables import seal


def until(condition: Callable[[], bool], seconds: float = 45) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "the condition did not come true"
        time.sleep(0.02)


@pytest.fixture(params=["memory", "http"])
def pair(request, kit):
    hub, plant = kit.hub(), kit.plant()
    kit.enrol(plant, hub)
    way = kit.memory(hub) if request.param == "memory" else kit.http(kit.serve(hub))
    return plant, hub, way


def test_everything_recorded_arrives_and_becomes_the_same_rows(kit, pair):
    plant, hub, way = pair
    pieces = plant.create(25)
    plant.move(pieces[0], "train")
    assert kit.drain(kit.caller(plant, way), entries_max=10) == 3
    assert hub.entries_of("ALD") == 26
    assert hub.apply() == 26
    assert hub.hash_of("ALD") == plant.hash_of("ALD")
    assert hub.apply() == 0


def test_watermark_is_just_before_now_and_never_past_an_uninterpreted_message(kit, pair):
    plant, hub, way = pair
    plant.create(3)
    kit.clock.advance(60_000)
    kit.drain(kit.caller(plant, way))
    with read(hub.node.engine) as conn:
        assert complete_through(conn, "ALD") == kit.clock.now_ms() - 1
    oldest = kit.clock.now_ms() + 5_000
    kit.clock.advance(60_000)
    kit.drain(kit.caller(plant, way, limit=lambda: oldest))
    with read(hub.node.engine) as conn:
        assert complete_through(conn, "ALD") == oldest - 1


def test_a_fact_recorded_after_a_heartbeat_is_later_than_its_promise_even_if_the_clock_steps_back(kit, pair):
    plant, hub, way = pair
    plant.create(1)
    kit.drain(kit.caller(plant, way))
    with read(hub.node.engine) as conn:
        promised = complete_through(conn, "ALD")
    kit.clock.set(kit.clock.now_ms() - 3_600_000)
    plant.create(1)
    with read(plant.node.engine) as conn:
        from shared.journal.tables import fact

        latest = conn.execute(select(fact.c.recorded_at_ms).order_by(fact.c.recorded_at_ms.desc())).scalars().first()
    assert latest > promised


def test_both_sides_keep_the_seal_as_proof(kit, pair):
    plant, hub, way = pair
    plant.create(4)
    kit.drain(kit.caller(plant, way), entries_max=2)
    kept = []
    for box in (plant, hub):
        with read(box.node.engine) as conn:
            kept.append(
                [
                    (row.first, row.last, bytes(row.envelope))
                    for row in conn.execute(select(seal).where(seal.c.kind == "batch").order_by(seal.c.last))
                ]
            )
    assert [row[:2] for row in kept[0]] == [(1, 2), (3, 4)]
    assert kept[0] == kept[1]


def test_the_way_down_carries_another_plants_facts_in_their_own_bytes(kit, pair):
    ald, hub, way = pair
    brk = kit.plant("BRK")
    kit.enrol(brk, hub)
    pieces = ald.create(2)
    kit.drain(kit.caller(ald, way))
    hub.apply()
    with hub.node.journal.work() as tx:
        for row in tx.conn.execute(select(applied.c.fact_id).where(applied.c.author == "ALD")).scalars().all():
            tx.relay(row, "HUB>BRK")
            tx.relay(row, "HUB>BRK")
    caller = kit.caller(brk, way)
    session = caller.hello()
    assert caller.pull(session, 0) == 2
    assert caller.pull(session, 0) == 0
    assert brk.apply() == 2
    assert brk.hash_of("ALD") == ald.hash_of("ALD")
    assert brk.hash_of("ALD") != brk.hash_of("BRK")
    assert len(pieces) == 2


def test_a_long_poll_is_answered_as_soon_as_there_is_something(kit, pair):
    import threading

    ald, hub, way = pair
    caller = kit.caller(ald, way)
    session = caller.hello()
    got = []
    asking = threading.Thread(target=lambda: got.append((caller.pull(session, 15_000), time.monotonic())))
    began = time.monotonic()
    asking.start()
    piece = hub.create(1)[0]
    with hub.node.journal.work() as tx:
        fact_id = tx.conn.execute(select(applied.c.fact_id)).scalar_one()
        tx.relay(fact_id, "HUB>ALD")
    asking.join(20)
    assert got
    assert got[0][0] == 1
    assert got[0][1] - began < 5
    assert ald.apply() == 1
    assert piece


def test_the_running_exchange_keeps_up_and_tells_how_the_line_stands(kit, pair):
    plant, hub, way = pair
    for box in (plant, hub):
        box.ground.applying.start()
        kit.closing.append(box.ground.applying.stop)
    exchange = kit.exchange(plant, way)
    exchange.start()
    plant.create(30)
    until(lambda: hub.applied_of("ALD") == 30)
    kit.clock.advance(5_000)
    now = kit.clock.now_ms()

    def caught_up() -> bool:
        with read(hub.node.engine) as conn:
            return complete_through(conn, "ALD") == now - 1

    until(caught_up)
    with read(plant.node.engine) as conn:
        line = report_link(conn, "ALD", "HUB")
    assert (line.state, line.waiting, line.oldest_ms) == ("online", 0, None)
    with read(hub.node.engine) as conn:
        assert report_caller(conn, "HUB>ALD", "ALD", 60).state == "online"
    assert plant.hash_of("ALD") == hub.hash_of("ALD")


def test_a_cut_line_is_told_with_what_waits_and_heals_by_itself(kit):
    hub, plant = kit.hub(), kit.plant()
    kit.enrol(plant, hub)
    server = kit.serve(hub)
    port = server.server.server_port
    exchange = kit.exchange(plant, kit.http(server))
    exchange.start()
    plant.create(2)
    until(lambda: hub.entries_of("ALD") == 2)
    server.stop()
    kit.closing.remove(server.stop)
    plant.create(5)

    def line():
        with read(plant.node.engine) as conn:
            return report_link(conn, "ALD", "HUB")

    until(lambda: line().state == "away")
    assert line().waiting == 5
    assert "does not answer" in line().reason
    kit.serve(hub, port)
    until(lambda: hub.entries_of("ALD") == 7 and line().state == "online")
    with write(hub.node.engine) as conn:
        assert complete_through(conn, "ALD") is not None
