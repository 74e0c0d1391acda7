"""Faults on demand through the real ports of melt shop, caster, hot mill and finishing: each one ordered while the
simulator plays, seen by the collector, and gone."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select

from demo.scenario.script import Event
from demo.simulator.layouts import load
from demo.simulator.rush import make_telegrams, send_all, send_paced
from demo.simulator.trouble import ORDERS, USUAL
from demo.simulator.wires import CLOCK_ERROR_MS, ZONES, Wires
from local_mes.level2.collector import Collector
from local_mes.level2.link_state import find_states
from local_mes.level2.links import load_links
from local_mes.level2.spool import SpoolWriter, create_spool
from local_mes.level2.spool_tables import link_history, message
from shared.clock import FixedClock
from shared.db.engine import open_engine, read
from shared.ports import free_port
from shared.settings import PlantSettings

ROOT = Path(__file__).parents[3]
NOW_MS = 1_773_205_200_000
SHORT_BEAT_S = 1.0
"""Where silence is tried: no data after three, closed after six; the peer's own are a fifth of it, so that a slow machine
closes none."""


@dataclass(frozen=True)
class Wire:
    """A link of the group; said: a message of it that has a mass, with its name in the fields and what it weighs."""

    link: str
    message: str
    fields: dict[str, Any]
    number: str
    mass: str

    @property
    def plant(self) -> str:
        return self.link[:3]


LADLE = {"ladle": 7, "sequence": "4417", "position": 1, "tundish": 7, "tundish_kg": 28_000, "strand1_mm": 0}
WIRES = {
    one.link: one
    for one in (
        Wire("ALD-CC1", "CC1020", {**LADLE, "strand2_mm": 0, "cast_kg": 0}, "heat", "tundish_kg"),
        Wire("CLD-PL", "PL1040", {"line": "PL1", "mass_kg": 28_000}, "coil_out", "mass_kg"),
        Wire("ALD-MELT", "EAF1.Tap", {"tap_kg": 28_000, "temp_c": 1620}, "heat", "tap_kg"),
        Wire("BRK-HSM", "CW1.Weight", {"mass_kg": 28_000}, "coil_no", "mass_kg"),
    )
}
"""A caster, a finishing line, a melt shop and a hot mill."""


@dataclass
class Scene:
    """A collector, the wires to it, and what it has."""

    wires: Wires
    spool: Engine
    orders: Path
    addresses: dict[str, str]
    number: int = 0

    def port(self, link: str) -> int:
        return int(self.addresses[link].rpartition(":")[2])

    async def event(self, link: str) -> Event:
        """The next thing that happens, on its wire."""
        self.number += 1
        wire = WIRES[link]
        via = "opcua" if "." in wire.message else "telegram"
        fields = {wire.number: f"16{self.number:04d}"} | wire.fields
        event = Event(NOW_MS, 0, wire.plant, via, wire.message, fields, link="" if via == "opcua" else link)
        await self.wires.play(event)
        return event

    def spooled(self, link: str) -> list[Any]:
        with read(self.spool) as conn:
            rows = conn.execute(select(message).where(message.c.link == link).order_by(message.c.spool_id))
            return [row._asdict() | {"fields": json.loads(row.fields)} for row in rows]

    def went_through(self, link: str) -> list[str]:
        """The states of a link in their order, as its history keeps them."""
        query = select(link_history.c.kind).where(link_history.c.link == link).order_by(link_history.c.ordinal)
        with read(self.spool) as conn:
            return list(conn.execute(query).scalars())

    def state(self, link: str) -> Any:
        return find_states(self.spool)[link]

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(40):
            while not condition():
                await asyncio.sleep(0.02)


@dataclass
class Ground:
    """A plant's model, its links at free ports, its spool; short heartbeats where links shall be seen to go silent."""

    folder: Path
    code: str
    clock: FixedClock
    short: bool

    def __post_init__(self) -> None:
        here = self.folder / self.code.lower()
        shutil.copytree(ROOT / "demo" / "plants" / here.name, here)
        model = here / "model.toml"
        text = model.read_text()
        if self.short:
            model.write_text(re.sub(r"^(peer = .*)", rf"\1\nheartbeat_s = {SHORT_BEAT_S}", text, flags=re.MULTILINE))
        kinds = {link["code"]: link["kind"] for link in tomllib.loads(text)["link"]}
        schemes = {"telegram": "", "opcua": "opc.tcp://"}
        self.addresses = {link: f"{schemes[kind]}127.0.0.1:{free_port()}" for link, kind in kinds.items()}
        self.layouts = {self.code: here / "telegrams"} if "telegram" in kinds.values() else {}
        self.settings = PlantSettings(
            code=self.code,
            name="A",
            folder=self.folder,
            model=model,
            hub_url="http://127.0.0.1:1",
            link_addresses=self.addresses,
        )
        self.spool = open_engine(self.settings.spool)
        create_spool(self.spool, self.clock)


@pytest.fixture
def play(tmp_path: Path, clock: FixedClock) -> Iterator[Callable[..., None]]:
    clock.set(NOW_MS)
    made: list[Ground] = []

    @asynccontextmanager
    async def running(links: tuple[str, ...], short: bool) -> AsyncIterator[Scene]:
        ground = Ground(tmp_path, links[0][:3], clock, short)
        made.append(ground)
        orders, spool = tmp_path / ORDERS, ground.spool
        wires = Wires({code: ground.addresses[code] for code in links}, ground.layouts, orders)
        for peer in wires.peers.values():
            peer.heartbeat_s = 0.2
        await wires.start()
        writer, stop = SpoolWriter(spool), asyncio.Event()
        collector = asyncio.create_task(Collector(load_links(ground.settings), spool, writer, clock).run(stop))
        try:
            yield Scene(wires, spool, orders, ground.addresses)
        finally:
            stop.set()
            await asyncio.gather(collector)
            await wires.stop()
            await asyncio.to_thread(writer.close)

    def run(scene: Callable[[Scene], Awaitable[None]], *links: str, short: bool = False) -> None:
        async def whole() -> None:
            async with running(links, short) as there:
                await scene(there)

        asyncio.run(whole())

    yield run
    for ground in made:
        ground.spool.dispose()


@pytest.mark.parametrize("link", ["ALD-CC1", "CLD-PL"])
def test_every_fault_on_a_telegram_link(play: Callable[..., None], link: str) -> None:
    async def scene(at: Scene) -> None:
        order, wire = at.wires.trouble.order, WIRES[link]
        right_ms = NOW_MS + CLOCK_ERROR_MS.get(wire.plant, 0)

        async def said() -> list[Any]:
            await at.event(link)
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

        order("silence", link, 4.5)
        assert len(await said()) == 4
        await at.until(lambda: "no_data" in at.went_through(link) and at.state(link).state == "connected")

        order("clock", link)
        assert (await said())[-1]["claimed_ms"] == right_ms + 3_600_000
        order("clock", link, 0)
        assert (await said())[-1]["claimed_ms"] == right_ms

        order("mass", link)
        assert (await said())[-1]["fields"][wire.mass] == 36_400
        assert (await said())[-1]["fields"][wire.mass] == 28_000
        assert [row["fields"][wire.number] for row in at.spooled(link)] == [f"16{n:04d}" for n in range(1, 9)]

    play(scene, link, short=True)


@pytest.mark.parametrize("link", ["ALD-MELT", "BRK-HSM"])
def test_every_fault_on_a_ring_of_events(play: Callable[..., None], link: str) -> None:
    async def scene(at: Scene) -> None:
        order, wire = at.wires.trouble.order, WIRES[link]

        async def said() -> list[Any]:
            await at.event(link)
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
            (wire.message, False),
        ]

        order("silence", link, 0.5)
        await at.event(link)
        assert len(at.spooled(link)) == len(rows)
        await at.until(lambda: len(at.spooled(link)) == len(rows) + 1)

        order("clock", link, -120)
        assert (await said())[-1]["claimed_ms"] == NOW_MS - 120_000
        order("mass", link, 10)
        assert (await said())[-1]["fields"][wire.mass] == 280_000

    play(scene, link)


def test_the_quickest_peer_is_answered_for_every_telegram(play: Callable[..., None], tmp_path: Path) -> None:
    async def scene(at: Scene) -> None:
        layouts, port = load(tmp_path / "ald" / "telegrams"), at.port("ALD-LAB")
        fields = {"sample": "S-1", "heat": "161843", "place": "LF", "count": 1}
        fields |= {"results": [{"element": "C", "op": "", "value_e5": 4500}]}
        telegrams = make_telegrams(layouts, "LB1010", fields, ZONES["ALD"], "LAB", range(120))
        waits = await send_paced(port, layouts, telegrams[:20], 200)
        assert len(waits) == 20
        assert min(waits) > 0
        assert await asyncio.to_thread(send_all, port, layouts, telegrams[20:], 32) > 0
        assert [row["sequence"] for row in at.spooled("ALD-LAB")] == list(range(1, 121))

    play(scene, "ALD-CC1")


def test_a_fault_is_ordered_by_command_while_the_demo_runs(tmp_path: Path, play: Callable[..., None]) -> None:
    (tmp_path / "simulator.json").write_text(json.dumps({"links": {"ALD-CC1": "", "ALD-MELT": ""}}))

    def trouble(*words: str) -> subprocess.CompletedProcess[str]:
        asked = [sys.executable, "-m", "demo.trouble", "--dir", str(tmp_path), *words]
        return subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)

    async def scene(at: Scene) -> None:
        done = await asyncio.to_thread(trouble, "gap", "ALD-CC1", "--value", "2")
        assert (done.returncode, done.stdout) == (0, "gap on ALD-CC1 with its next message.\n")
        await at.event("ALD-CC1")
        await at.event("ALD-CC1")
        await at.wires.drained()
        assert [row["sequence"] for row in at.spooled("ALD-CC1")] == [3, 4]

    play(scene, "ALD-CC1")
    wrong = trouble("gap", "ALD-CC9")
    assert (wrong.returncode, "Links of the demo: ALD-CC1, ALD-MELT" in wrong.stderr) == (2, True)
    assert set(USUAL) == {"duplicate", "gap", "garbage", "silence", "clock", "mass"}
