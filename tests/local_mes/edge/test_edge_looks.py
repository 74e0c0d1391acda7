"""A server on the edge's site is looked into from a page of the plant: by the edge, which reaches it, over its line."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep

import pytest
from edge_bench import EDGE, Two, make_both
from opcua_peers import AsyncuaServer
from sqlalchemy import insert, select, update

from local_mes.level2 import looks
from local_mes.level2.edge import looking
from local_mes.level2.edge.look_facts import Level2Asked
from local_mes.level2.edge.looking import OLDER_EDGE
from local_mes.level2.link_state import load_state, real_ms, save_states
from local_mes.level2.look_answers import answer_looks
from local_mes.level2.looks import Level, add_look, look_into
from local_mes.level2.opcua import browse
from local_mes.level2.spool import SpoolWriter
from local_mes.level2.spool_tables import server_look
from local_mes.plant import Plant
from shared.clock import FixedClock
from shared.db.engine import read, write
from shared.errors import Unavailable
from shared.journal.fact import Draft, Occurred
from shared.journal.tables import fact
from shared.ports import free_port
from sync.understanding import understanding

LINK = """
[[link]]
code = "EAF"
kind = "opcua"
address = "opc.tcp://127.0.0.1:{port}"
  [link.settings]
  security = "None"
"""

PATIENCE_S = 120
PATIENT = (
    (looks, "WAIT_S", PATIENCE_S),
    (looks, "FRESH_MS", PATIENCE_S * 1_000),
    (looking, "FRESH_MS", PATIENCE_S * 1_000),
    (looks, "COLLECTOR_AWAY_MS", PATIENCE_S * 1_000),
    (browse, "WAIT_S", PATIENCE_S),
)
"""What a person would not wait for, a busy machine may need."""


@contextmanager
def on_site(two: Two, server: AsyncuaServer) -> Iterator[None]:
    """The server, and the part of the edge's collector that looks into it."""
    ready, stop = threading.Event(), threading.Event()
    writer = SpoolWriter(two.edge.spool)

    async def run() -> None:
        async with server.running():
            answering = asyncio.create_task(answer_looks(two.edge.settings, two.edge.spool, writer))
            ready.set()
            await asyncio.to_thread(stop.wait)
            answering.cancel()
            await asyncio.gather(answering, return_exceptions=True)

    thread = threading.Thread(target=lambda: asyncio.run(run()))
    thread.start()
    try:
        assert ready.wait(40)
        yield
    finally:
        stop.set()
        thread.join()
        writer.close()


def look(two: Two, link: str, node: str = "i=85", step: Callable[[], object] | None = None) -> Level:
    """A page waits in its thread while the two call each other."""
    step = step or two.carry
    step()  # the edge was there a moment ago
    with ThreadPoolExecutor(1) as pool:
        asked, end = pool.submit(look_into, two.plant, link, node), monotonic() + PATIENCE_S
        while not asked.done() and monotonic() < end:
            step()
            sleep(0.02)
        return asked.result()


def test_the_edge_looks_and_says_what_it_sees(
    tmp_path: Path, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = free_port()
    make_both(tmp_path, clock)
    with (tmp_path / "model.toml").open("a") as model:
        model.write(LINK.format(port=port))
    two = Two(tmp_path, clock, FixedClock(clock.now_ms()))
    try:
        two.enrol()
        with pytest.raises(Unavailable, match=f"The edge {EDGE} is away"):
            look_into(two.plant, "EAF", "i=85")
        with write(two.edge.spool) as conn:
            save_states(conn, [load_state(two.edge.spool, "EAF", "opcua", "", two.edge_clock).row(1)])
        two.carry(2)
        for module, name, value in PATIENT:
            monkeypatch.setattr(module, name, value)
        with on_site(two, AsyncuaServer(port, tmp_path)):
            top = look(two, "EAF")
            (line,) = (one for one in top.children if one.name == "Line")
            below = look(two, "EAF", line.node)
            with pytest.raises(Unavailable, match="no OPC UA link of this name"):
                look(two, "CC1")
        assert ("Speed", "Variable", "0.0", True) in {(c.name, c.kind, c.value, c.writable) for c in below.children}
        with write(two.hosting.node.engine) as conn:
            conn.execute(update(understanding).values(facts="{}"))
        with pytest.raises(Unavailable, match=OLDER_EDGE[:30]):
            look(two, "EAF", step=two.hosting.step)
    finally:
        two.close_plant()
        two.edge.node.engine.dispose()
        two.edge.spool.dispose()


def looks_of(plant: Plant) -> list[tuple[str, int]]:
    with read(plant.spool) as conn:
        return [(row.look_id, row.asked_real_ms) for row in conn.execute(select(server_look))]


def test_an_answer_that_no_fact_holds_keeps_nothing_else_from_being_told(
    two: Two, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (looks, looking):
        monkeypatch.setattr(module, "FRESH_MS", 3_600_000)
    state = load_state(two.edge.spool, "EAF", "opcua", "", two.edge_clock).row(1)
    with write(two.edge.spool) as conn:
        save_states(conn, [state])
    hour_ago = {"link": "EAF", "node": "i=85", "asked_real_ms": real_ms() - 3_600_000, "told": 0, "fault": ""}
    with write(two.edge.spool) as conn:
        conn.execute(insert(server_look).values(hour_ago | {"look_id": "a" * 32, "answer": '"' * 150_000}))
    two.carry(2)
    with read(two.hosting.node.engine) as conn:
        told = set(conn.execute(select(fact.c.type)).scalars())
        body = conn.execute(select(fact.c.body).where(fact.c.type == "Level2Answered")).scalar_one()
    assert b"cannot be carried" in body
    assert "Level2Seen" in told, "how the links do"
    with write(two.plant.spool) as conn:
        add_look(conn, "b" * 32, "EAF", "i=85")
    two.carry()
    here, there = looks_of(two.plant), looks_of(two.edge)
    assert here == there == [("b" * 32, here[0][1])], "an old one is kept no longer, a new one is as old as it is"
    stale = Level2Asked(look="c" * 32, link="EAF", node="i=85", asked_real_ms=real_ms() - 2 * 3_600_000)
    with two.hosting.node.journal.work() as tx:
        told = tx.record(Draft(stale, ("links",), "plant", Occurred(1, "plant")))
        tx.relay(told[0], f"{two.hosting.node.code}>{EDGE}")
    two.carry()
    assert looks_of(two.edge) == there, "who asked has gone"
