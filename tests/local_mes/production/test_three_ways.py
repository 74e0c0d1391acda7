"""The same day told in three ways over the real ports: each cut by telegram, a heat at a time, a file a shift.

One caster tells every strand event, another one summary a heat, a third only a file a shift; the material graph, the
holds and the balance must be the same (ids and times aside).
"""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pytest
from melt_shop_player import HEATS_4417, MINUTE, Event, sequence_events
from melt_shop_player import Sequence as Cast
from production_bench import DEMO, Bench, make_bench

from demo.simulator.layouts import load
from demo.simulator.opcua_server import RingServer
from demo.simulator.shift_file import Told, drop, shift_files
from demo.simulator.telegram_peer import Peer
from local_mes.level2.collector import Collector
from local_mes.level2.links import load_links
from local_mes.level2.spool import SpoolWriter
from local_mes.level2.spool_tables import message
from shared.clock import FixedClock
from shared.db.engine import read
from shared.material.tables import edge, loss, material, operation
from shared.ports import free_port
from shared.quality.queries import open_holds

Way = Literal["cut", "heat", "shift"]
RULES = ("QR-CHE-01-v5.json", "QR-RES-01-v2.json", "QR-CAST-01-v3.json", "QR-TRN-01-v1.json")
START_MS = 1_773_206_400_000 + 400 * MINUTE
"""First ladle at 13:00 local: the sequence runs over the end of the early shift, so it lies in two files."""
FILE_LINK = """
[[link]]
code = "ALD-CC1-FILE"
kind = "file"
address = "drop"
mapping = "mapping/cc1-shift.toml"
  [link.settings]
  message = "CC1.Shift"
  format = "csv"
  pattern = "*.csv"
  finished = "moved"
  time = "TIME"
"""


@dataclass
class Floor:
    """The plant's Level 2 at the other end of its real ports."""

    bench: Bench
    peers: dict[str, Peer]
    ring: RingServer
    drop: Path

    async def play(self, events: Sequence[Event], way: Way) -> None:
        """Each message at its time; each is on the plant's disk before the next one goes out."""
        told = [Told(at, name, fields) for at, link, name, fields in events if link == "ALD-CC1"]
        files = shift_files(told, self.ring.zone) if way == "shift" else []
        due = [event for event in events if way != "shift" or event[1] != "ALD-CC1"]
        for event in due:
            while files and files[0].at_ms <= event[0]:
                await self._drop(files.pop(0))
            await self._tell(event)
        for file in files:
            await self._drop(file)
        await asyncio.to_thread(self._interpret)

    async def _tell(self, event: Event) -> None:
        at_ms, link, name, fields = event
        self.bench.clock.set(at_ms)
        if link == "ALD-MELT":
            await self.ring.event(name, fields, at_ms)
            await self.ring.drained()
        else:
            await self.peers[link].send(name, fields, at_ms)
            await self.peers[link].drained()

    async def _drop(self, file: Any) -> None:
        await asyncio.to_thread(self._interpret)
        self.bench.clock.set(max(file.at_ms, self.bench.clock.now_ms()))
        drop(file, self.drop)
        async with asyncio.timeout(30):
            while not (self.drop / "done" / file.name).exists():
                await asyncio.sleep(0.02)

    def _interpret(self) -> None:
        while self.bench.interpreter.step():
            pass


@asynccontextmanager
async def floor(bench: Bench, addresses: dict[str, str]) -> AsyncIterator[Floor]:
    plan = load_links(bench.plant.settings)
    ring = RingServer("ALD-MELT", addresses["ALD-MELT"], plan.zone)
    layouts = load(DEMO / "plants" / "ald" / "telegrams")
    peers = {
        code: Peer(code, "127.0.0.1", int(addresses[code].rpartition(":")[2]), layouts, plan.zone, name)
        for code, name in (("ALD-LAB", "LAB"), ("ALD-CC1", "CC1"))
    }
    await ring.start()
    writer, stop = SpoolWriter(bench.plant.spool), asyncio.Event()
    collector = asyncio.create_task(Collector(plan, bench.plant.spool, writer, bench.clock).run(stop))
    callers = [asyncio.create_task(peer.run()) for peer in peers.values()]
    try:
        yield Floor(bench, peers, ring, plan.folder / "drop")
    finally:
        stop.set()
        await asyncio.gather(collector)
        for caller in callers:
            caller.cancel()
        await asyncio.gather(*callers, return_exceptions=True)
        await ring.stop()
        await asyncio.to_thread(writer.close)


def build(way: Way, folder: Path) -> tuple[Bench, dict[str, str]]:
    """The plant of the group, its links at free ports of this machine, its caster as much of a teller as it is."""
    home = folder / "model"
    shutil.copytree(DEMO / "plants" / "ald", home)
    (home / "drop").mkdir()
    text = (home / "model.toml").read_text()
    addresses = {"ALD-LAB": f"127.0.0.1:{free_port()}", "ALD-CC1": f"127.0.0.1:{free_port()}"}
    addresses["ALD-MELT"] = f"opc.tcp://127.0.0.1:{free_port()}"
    for was, code in (("127.0.0.1:7110", "ALD-LAB"), ("127.0.0.1:7111", "ALD-CC1")):
        text = text.replace(was, addresses[code])
    text = text.replace("opc.tcp://127.0.0.1:4841", addresses["ALD-MELT"])
    text = text.replace('CC1 = "strand"', 'CC1 = "heat"') if way == "heat" else text
    (home / "model.toml").write_text(text + (FILE_LINK if way == "shift" else ""))
    clock = FixedClock(START_MS - 5 * 60 * MINUTE)
    bench = make_bench("ALD", folder, clock, home / "model.toml")
    bench.adopt(*RULES)
    bench.order("710047/10", "DX51D+Z275-M-A coil", "R-GI")
    return bench, addresses


def played(way: Way, heats: tuple[str, ...], folder: Path) -> dict[str, Any]:
    bench, addresses = build(way, folder)
    cast = Cast("4417", heats, start_ms=START_MS)
    for heat in heats:
        bench.schedule("CC1", heat, "", "710047/10", aim_mm=9300, min_mm=8800, max_mm=9800, pieces=6)

    async def run() -> None:
        async with floor(bench, addresses) as there:
            await there.play(sequence_events(cast, summary=way == "heat"), way)

    try:
        asyncio.run(run())
        assert bench.repairs() == []
        return graph(bench) | {"files": len(list((folder / "model" / "drop").glob("done/*.csv")))}
    finally:
        bench.plant.node.engine.dispose()
        bench.plant.spool.dispose()


def graph(bench: Bench) -> dict[str, Any]:
    """Pieces, edges, holds and losses, by numbers instead of ids."""
    number = {row.material_id: row.number for row in bench.rows(material)}
    shown = ("kind", "grade", "order_item", "state", "mass_g", "mass_basis", "thickness_um", "width_um", "length_um")
    shown += ("place", "heat_number", "chemistry", "origin")
    places = ("parent_from_um", "parent_to_um", "child_from_um", "child_to_um", "parent_left_um", "parent_right_um")
    places += ("child_left_um", "child_right_um", "mass_g", "share_ppm", "flip_length", "flip_width", "flip_face")
    casts = {row.operation_id for row in bench.rows(operation) if row.operation == "cast"}
    losses: dict[str, int] = {}
    for row in bench.rows(loss):
        if row.operation_id in casts:
            losses[row.kind] = losses.get(row.kind, 0) + row.g
    with read(bench.plant.node.engine) as conn:
        holds = {one: sorted(h.rule_id for h in open_holds(conn, piece)) for piece, one in number.items()}
    with read(bench.plant.spool) as conn:
        links = {row.link for row in conn.execute(message.select())}
    return {
        "pieces": {row.number: {name: getattr(row, name) for name in shown} for row in bench.rows(material)},
        "strand": {row.number: json.loads(row.attributes) for row in bench.rows(material) if row.kind == "slab"},
        "edges": sorted(
            (number[row.parent_id], number[row.child_id], *(getattr(row, name) for name in places))
            for row in bench.rows(edge)
        ),
        "holds": holds,
        "losses": losses,
        "links": links,
    }


def check(heats: tuple[str, ...], folder: Path) -> None:
    ways: tuple[Way, ...] = ("cut", "heat", "shift")
    found = {way: played(way, heats, folder / way) for way in ways}
    cut = found["cut"]
    assert len([one for one in cut["pieces"].values() if one["kind"] == "slab"]) == 6 * len(heats)
    assert any(cut["holds"].values())
    assert found["cut"]["links"] == found["heat"]["links"] == {"ALD-MELT", "ALD-LAB", "ALD-CC1"}
    assert found["shift"]["links"] == {"ALD-MELT", "ALD-LAB", "ALD-CC1-FILE"}
    assert found["shift"]["files"] == 2
    for part in ("pieces", "strand", "edges", "holds", "losses"):
        assert found["shift"][part] == cut[part], part
    # a summary tells crops as one sum at the end: not of which heat each was, and no kerf of theirs
    for one in (*cut["pieces"].values(), *found["heat"]["pieces"].values()):
        one |= {"mass_g": 0} if one["kind"] == "heat" else {}
    for part in ("pieces", "strand", "edges", "holds"):
        assert found["heat"][part] == cut[part], part
    assert sum(found["heat"]["losses"].values()) == pytest.approx(sum(cut["losses"].values()), rel=0.01)


def test_a_short_sequence_three_ways(tmp_path: Path) -> None:
    check(HEATS_4417[1:4], tmp_path)


@pytest.mark.slow
def test_a_whole_sequence_three_ways(tmp_path: Path) -> None:
    check(HEATS_4417, tmp_path)
