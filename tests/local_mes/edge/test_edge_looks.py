"""A server on the edge's site is looked into from a page of the plant: by the edge, which reaches it, over its line."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from time import monotonic

import pytest
from edge_bench import EDGE, Two, make_both
from opcua_peers import AsyncuaServer
from sqlalchemy import update

from local_mes.level2.edge.looking import OLDER_EDGE
from local_mes.level2.link_state import load_state, save_states
from local_mes.level2.look_answers import answer_looks
from local_mes.level2.looks import Level, look_into
from local_mes.level2.spool import SpoolWriter
from shared.clock import FixedClock
from shared.db.engine import write
from shared.errors import Unavailable
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
        asked, end = pool.submit(look_into, two.plant, link, node), monotonic() + 40
        while not asked.done() and monotonic() < end:
            step()
        return asked.result()


def test_the_edge_looks_and_says_what_it_sees(tmp_path: Path, clock: FixedClock) -> None:
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
