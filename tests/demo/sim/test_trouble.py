"""Faults on demand through the real ports: each one ordered while the simulator plays, seen by the collector, and gone."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select

from demo.scenario.script import Event
from demo.simulator.trouble import ORDERS, USUAL
from demo.simulator.wires import Wires
from local_mes.level2.collector import Collector
from local_mes.level2.link_state import find_states
from local_mes.level2.links import load_links
from local_mes.level2.spool import SpoolWriter, create_spool
from local_mes.level2.spool_tables import message
from shared.clock import FixedClock
from shared.db.engine import open_engine, read
from shared.ports import free_port
from shared.settings import PlantSettings

ROOT = Path(__file__).parents[3]
NOW_MS = 1_773_205_200_000


@dataclass
class Scene:
    """A collector, the wires to it, and what it has."""

    wires: Wires
    spool: Engine
    orders: Path
    number: int = 0

    async def event(self, via: str) -> Event:
        """The next thing that happens, on its wire."""
        self.number += 1
        heat = f"16{self.number:04d}"
        if via == "opcua":
            event = Event(NOW_MS, 0, "ALD", "opcua", "EAF1.Tap", {"heat": heat, "tap_kg": 127_000, "temp_c": 1620})
        else:
            fields = {"heat": heat, "ladle": 7, "sequence": "4417", "position": 1, "tundish": 7, "tundish_kg": 28_000}
            fields |= {"strand1_mm": 0, "strand2_mm": 0, "cast_kg": 0}
            event = Event(NOW_MS, 0, "ALD", "telegram", "CC1020", fields, link="ALD-CC1")
        await self.wires.play(event)
        return event

    def spooled(self, link: str) -> list[Any]:
        with read(self.spool) as conn:
            rows = conn.execute(select(message).where(message.c.link == link).order_by(message.c.spool_id))
            return [row._asdict() | {"fields": json.loads(row.fields)} for row in rows]

    def state(self, link: str) -> Any:
        return find_states(self.spool)[link]

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(20):
            while not condition():
                await asyncio.sleep(0.02)


@pytest.fixture
def play(tmp_path: Path, clock: FixedClock) -> Iterator[Callable[..., None]]:
    shutil.copytree(ROOT / "demo" / "plants" / "ald", tmp_path / "ald")
    model = tmp_path / "ald" / "model.toml"
    model.write_text(model.read_text().replace('peer = "CC1"', 'peer = "CC1"\nheartbeat_s = 0.4'))
    addresses = {code: f"127.0.0.1:{free_port()}" for code in ("ALD-LAB", "ALD-CC1")}
    addresses["ALD-MELT"] = f"opc.tcp://127.0.0.1:{free_port()}"
    settings = PlantSettings(
        code="ALD", name="A", folder=tmp_path, model=model, hub_url="http://127.0.0.1:1", link_addresses=addresses
    )
    spool = open_engine(settings.spool)
    create_spool(spool, clock)
    clock.set(NOW_MS)

    @asynccontextmanager
    async def running(links: tuple[str, ...]) -> AsyncIterator[Scene]:
        orders = tmp_path / ORDERS
        wires = Wires({code: addresses[code] for code in links}, {"ALD": tmp_path / "ald" / "telegrams"}, orders)
        for peer in wires.peers.values():
            peer.heartbeat_s = 0.2
        await wires.start()
        writer, stop = SpoolWriter(spool), asyncio.Event()
        collector = asyncio.create_task(Collector(load_links(settings), spool, writer, clock).run(stop))
        try:
            yield Scene(wires, spool, orders)
        finally:
            stop.set()
            await asyncio.gather(collector)
            await wires.stop()
            await asyncio.to_thread(writer.close)

    def run(scene: Callable[[Scene], Awaitable[None]], *links: str) -> None:
        async def whole() -> None:
            async with running(links) as there:
                await scene(there)

        asyncio.run(whole())

    yield run
    spool.dispose()


def test_every_fault_on_a_telegram_link(play: Callable[..., None]) -> None:
    async def scene(at: Scene) -> None:
        order, link = at.wires.trouble.order, "ALD-CC1"

        async def said() -> list[Any]:
            await at.event("telegram")
            await at.wires.drained()
            return at.spooled(link)

        order("duplicate", link)
        assert len(await said()) == 1
        await at.until(lambda: at.state(link).repeated == 1)

        order("gap", link)
        assert [row["sequence"] for row in await said()] == [1, 5]
        await at.until(lambda: at.state(link).gaps == 3)

        order("garbage", link)
        assert [row["sequence"] for row in await said()] == [1, 5, 7]
        await at.until(lambda: at.state(link).refused >= 2)  # the garbled telegram, and the noise that ends the line
        assert at.wires.peers[link].refused == []

        order("silence", link, 2.5)
        waiting = asyncio.create_task(said())
        await at.until(lambda: at.state(link).state == "no_data")
        assert len(at.spooled(link)) == 3
        assert len(await waiting) == 4
        await at.until(lambda: at.state(link).state == "connected")

        order("clock", link)
        assert (await said())[-1]["claimed_ms"] == NOW_MS + 3_600_000
        order("clock", link, 0)
        assert (await said())[-1]["claimed_ms"] == NOW_MS

        order("mass", link)
        assert (await said())[-1]["fields"]["tundish_kg"] == 36_400
        assert (await said())[-1]["fields"]["tundish_kg"] == 28_000
        assert [row["fields"]["heat"] for row in at.spooled(link)] == [f"16{n:04d}" for n in range(1, 9)]

    play(scene, "ALD-CC1")


def test_every_fault_on_a_ring_of_events(play: Callable[..., None]) -> None:
    async def scene(at: Scene) -> None:
        order, link = at.wires.trouble.order, "ALD-MELT"

        async def said() -> list[Any]:
            await at.event("opcua")
            await at.wires.drained()
            return at.spooled(link)

        await said()
        await said()
        order("duplicate", link, 2)
        assert [row["sequence"] for row in await said()] == [1, 2, 3]
        await at.until(lambda: at.state(link).repeated == 2)

        order("gap", link)
        assert [row["sequence"] for row in await said()] == [1, 2, 3, 7]
        await at.until(lambda: at.state(link).gaps == 3)

        order("garbage", link)
        rows = await said()
        assert [(row["message"], bool(row["problem"])) for row in rows[-2:]] == [
            ("unreadable", True),
            ("EAF1.Tap", False),
        ]

        order("silence", link, 0.5)
        await at.event("opcua")
        assert len(at.spooled(link)) == len(rows)
        await at.until(lambda: len(at.spooled(link)) == len(rows) + 1)

        order("clock", link, -120)
        assert (await said())[-1]["claimed_ms"] == NOW_MS - 120_000
        order("mass", link, 10)
        assert (await said())[-1]["fields"]["tap_kg"] == 1_270_000

    play(scene, "ALD-MELT")


def test_a_fault_is_ordered_by_command_while_the_demo_runs(tmp_path: Path, play: Callable[..., None]) -> None:
    (tmp_path / "simulator.json").write_text(json.dumps({"links": {"ALD-CC1": "", "ALD-MELT": ""}}))

    def trouble(*words: str) -> subprocess.CompletedProcess[str]:
        asked = [sys.executable, "-m", "demo.trouble", "--dir", str(tmp_path), *words]
        return subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)

    async def scene(at: Scene) -> None:
        done = await asyncio.to_thread(trouble, "gap", "ALD-CC1", "--value", "2")
        assert (done.returncode, done.stdout) == (0, "gap on ALD-CC1 with its next message.\n")
        await at.event("telegram")
        await at.event("telegram")
        await at.wires.drained()
        assert [row["sequence"] for row in at.spooled("ALD-CC1")] == [3, 4]

    play(scene, "ALD-CC1")
    wrong = trouble("gap", "ALD-CC9")
    assert (wrong.returncode, "Links of the demo: ALD-CC1, ALD-MELT" in wrong.stderr) == (2, True)
    assert set(USUAL) == {"duplicate", "gap", "garbage", "silence", "clock", "mass"}
