"""Real processes, a real line with a cable that is cut, and kill -9 of either side at each labelled point."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pytest
from edge_bench import EDGE, SETPOINT_VALID_MS, settings_of
from level2_peers import PLANTS, Peer, cut, until
from sqlalchemy import Engine, func, select

from local_mes.level2 import down
from local_mes.level2.edge.enrolment import issue_token
from local_mes.level2.edge.hosting import open_desk, prepare
from local_mes.level2.edge.site import build_edge, init_edge
from local_mes.level2.interpret import get_position
from local_mes.level2.links import load_links
from local_mes.level2.spool import get_key
from local_mes.level2.spool_tables import message
from local_mes.level2.telegrams.layout_files import load_folder
from local_mes.plant import Plant
from local_mes.wiring import init_plant
from shared.clock import SystemClock
from shared.db.engine import read
from shared.ports import free_port
from sync.enrolment import enrol
from sync.errors import Unreachable
from sync.transport import HttpTransport

PROGRAM = Path(__file__).parent / "edge_process.py"
LAYOUTS = load_folder(PLANTS / "ald" / "telegrams")
ORDER = {"slab": "161843-2-3", "flag": "H"}
WINDOW = 8
BEHIND = 300
"""Level 2 goes no farther ahead of the plant: on a busy machine a start takes long, and all is to be caught up with."""
PATIENCE_S = 120

EDGE_POINTS = (
    ("local_mes.level2.spool:append_all", "after", 20),
    ("local_mes.level2.edge.site:record_heard", "before", 5),
    ("local_mes.level2.edge.site:record_heard", "after", 5),
    ("shared.journal.journal:_append", "after", 7),
    ("sync.transport:HttpTransport.send", "before", 4),
    ("sync.transport:HttpTransport.send", "after", 4),
    ("sync.caller:Caller.keep", "before", 2),
    ("local_mes.level2.edge.site:take_next", "after", 3),
    ("local_mes.level2.edge.orders:insert", "before", 1),
    ("local_mes.level2.down:settle", "after", 1),
    ("local_mes.level2.edge.recording:_settled", "after", 1),
)
PLANT_POINTS = (
    ("sync.desk:store", "before", 3),
    ("sync.desk:store", "after", 3),
    ("sync.desk:Desk._receipt", "before", 3),
    ("local_mes.level2.edge.hosting:take_next", "after", 4),
    ("local_mes.level2.edge.intake:append_all", "after", 2),
    ("local_mes.level2.edge.hosting:give_orders", "before", 1),
    ("local_mes.level2.edge.giving:_give", "after", 1),
    ("local_mes.level2.interpret:Interpreter.step", "after", 3),
)


@dataclass
class Cable:
    """A TCP way to the plant that can be cut."""

    target: int
    port: int = field(default_factory=free_port)
    is_cut: bool = False
    open: set[asyncio.StreamWriter] = field(default_factory=set)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.is_cut:
            return writer.transport.abort()
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            return writer.transport.abort()
        self.open |= {writer, far_writer}

        async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
            with suppress(OSError):
                while data := await source.read(65536):
                    sink.write(data)
                    await sink.drain()
            sink.transport.abort()

        await asyncio.gather(pump(reader, far_writer), pump(far_reader, writer))
        self.open -= {writer, far_writer}

    def cut(self) -> None:
        self.is_cut = True
        for writer in self.open:
            writer.transport.abort()

    def mend(self) -> None:
        self.is_cut = False


@dataclass
class Level2:
    """Level 2 on site: telegram n is a piece of its own; at most WINDOW unanswered, those again after a reconnect."""

    port: int
    goal: int = 0
    sent: int = 0
    acknowledged: int = 0
    orders: list[int] = field(default_factory=list)

    async def run(self) -> None:
        while True:
            with suppress(OSError, asyncio.IncompleteReadError):
                peer = Peer(*await asyncio.open_connection("127.0.0.1", self.port), LAYOUTS)
                await self._talk(peer)
            await asyncio.sleep(0.05)

    async def _talk(self, peer: Peer) -> None:
        for number in range(self.acknowledged + 1, self.sent + 1):
            await self._say(peer, number, resent=True)
        taking = asyncio.ensure_future(peer.take())
        try:
            while True:
                while self.sent < self.goal and self.sent - self.acknowledged < WINDOW:
                    self.sent += 1
                    await self._say(peer, self.sent)
                await asyncio.wait([taking], timeout=0.05)
                if taking.done():
                    await self._taken(peer, taking.result())
                    taking = asyncio.ensure_future(peer.take())
        finally:
            taking.cancel()

    async def _taken(self, peer: Peer, name: str) -> None:
        if name == "AK9000":
            sequence, code = peer.acks.pop()
            assert (sequence, code) == (self.acknowledged + 1, 0)
            self.acknowledged = sequence
        elif name != "HB0001":
            sequence = peer.received[-1][0]
            self.orders.append(sequence)
            await peer.send("AK9000", {"ack_sequence": sequence, "code": 0})

    async def _say(self, peer: Peer, number: int, *, resent: bool = False) -> None:
        await peer.send("CC1060", cut(number % 99 + 1, heat=f"{number:06d}"), number, resent=resent)


@dataclass
class Ground:
    """Both folders, the process that forks, and where what was said must come out."""

    folder: Path
    program: subprocess.Popen[str]
    plant: Plant
    port: int
    link_port: int
    pids: dict[str, int] = field(default_factory=dict)

    def start(self, role: str, port: int, point: str = "", when: str = "before", nth: int = 1) -> None:
        order = {"role": role, "folder": str(self.folder), "port": port, "link_port": self.link_port}
        assert self.program.stdin is not None
        assert self.program.stdout is not None
        self.program.stdin.write(json.dumps(order | {"point": point, "when": when, "nth": nth}) + "\n")
        self.program.stdin.flush()
        self.pids[role] = int(self.program.stdout.readline())

    def is_alive(self, role: str) -> bool:
        try:
            os.kill(self.pids[role], 0)
        except ProcessLookupError:
            return False
        return True

    def kill(self, role: str) -> None:
        with suppress(ProcessLookupError):
            os.kill(self.pids[role], signal.SIGKILL)

    def arrived(self) -> list[int]:
        with read(self.plant.spool) as conn:
            return list(conn.execute(select(message.c.sequence).order_by(message.c.spool_id)).scalars())

    def interpreted(self) -> int:
        with read(self.plant.node.engine) as conn:
            return get_position(conn, get_key(self.plant.spool))

    def confirmed(self, spool: Engine) -> int:
        query = select(func.count()).select_from(down.down).where(down.down.c.state == down.CONFIRMED)
        with read(spool) as conn:
            return int(conn.execute(query).scalar_one())


@pytest.fixture
def ground(tmp_path: Path) -> Iterator[Ground]:
    port, link_port = free_port(), free_port()
    plant = init_plant(settings_of(tmp_path, edge=False, link_port=link_port), SystemClock())
    prepare(plant, load_links(plant.settings))
    made = init_edge(settings_of(tmp_path, edge=True), SystemClock())
    for engine in (made.node.engine, made.spool):
        engine.dispose()
    program = subprocess.Popen(
        [sys.executable, str(PROGRAM)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=(tmp_path / "stderr").open("w"),
        env=os.environ | {"PYTHONPATH": str(PROGRAM.parents[3])},
        text=True,
    )
    ground = Ground(tmp_path, program, plant, port, link_port)
    yield ground
    for role in ground.pids:
        ground.kill(role)
    assert program.stdin is not None
    program.stdin.close()
    program.wait(40)
    plant.node.engine.dispose()
    plant.spool.dispose()


@asynccontextmanager
async def playing(ground: Ground) -> AsyncIterator[tuple[Cable, Level2]]:
    """Both processes enrolled at each other, Level 2 talking to the edge, a cable between edge and plant."""
    cable = Cable(ground.port)
    server = await asyncio.start_server(cable.serve, "127.0.0.1", cable.port)
    ground.start("plant", ground.port)
    desk = open_desk(ground.plant)
    token = issue_token(desk, EDGE)
    desk.engine.dispose()
    await asyncio.to_thread(_enrol, ground, token)
    ground.start("edge", cable.port)
    level2 = Level2(ground.link_port)
    task = asyncio.create_task(level2.run())
    try:
        yield cable, level2
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        server.close()


def _enrol(ground: Ground, token: str) -> None:
    edge = build_edge(settings_of(ground.folder, edge=True), SystemClock())
    end = monotonic() + 60
    while True:
        try:
            enrol(edge.node, token, HttpTransport(f"http://127.0.0.1:{ground.port}"))
            break
        except Unreachable:
            assert monotonic() < end
            sleep(0.1)
    edge.node.engine.dispose()
    edge.spool.dispose()


async def _died(ground: Ground, role: str, level2: Level2) -> None:
    """Level 2 goes on until the process has reached its point."""
    await until(lambda: _more(ground, level2) and not ground.is_alive(role), within_s=PATIENCE_S)


def _more(ground: Ground, level2: Level2) -> bool:
    if level2.acknowledged < len(ground.arrived()) + BEHIND:
        level2.goal = max(level2.goal, level2.acknowledged + WINDOW)
    return True


def _all_there(ground: Ground, level2: Level2) -> Callable[[], bool]:
    return lambda: len(ground.arrived()) >= level2.sent == level2.acknowledged


def test_a_cable_cut_for_long_while_level2_goes_on_and_the_edge_dies(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(down, "SETPOINT_VALID_MS", SETPOINT_VALID_MS)

    async def scene() -> None:
        async with playing(ground) as (cable, level2):
            level2.goal = 60
            await until(lambda: len(ground.arrived()) == 60, within_s=PATIENCE_S)
            cable.cut()
            level2.goal = 300
            await until(lambda: level2.acknowledged >= 180, within_s=PATIENCE_S)
            ground.kill("edge")
            ground.start("edge", cable.port)
            await until(lambda: level2.acknowledged == 300, within_s=PATIENCE_S)
            assert len(ground.arrived()) == 60
            down.queue_telegram(ground.plant.spool, SystemClock(), "CC1", "CC2030", ORDER, key="k1")
            cable.mend()
            await until(lambda: len(ground.arrived()) == 300, within_s=PATIENCE_S)
            await until(lambda: ground.confirmed(ground.plant.spool) == 1, within_s=PATIENCE_S)
            await until(lambda: ground.interpreted() == 300, within_s=PATIENCE_S)
            assert ground.arrived() == list(range(1, 301))
            down.queue_setpoint(
                ground.plant.spool, SystemClock(), "CC1", "CC2030", ORDER, key="set:1", asked_by="p", piece=""
            )
            await until(lambda: ground.confirmed(ground.plant.spool) == 2, within_s=SETPOINT_VALID_MS / 1_000)
            assert level2.orders == [1, 2], "a set-point is answered on site within its time"

    asyncio.run(scene())


async def _kill_at_each(ground: Ground, points: tuple[tuple[str, str, int], ...], role: str) -> None:
    async with playing(ground) as (cable, level2):
        level2.goal = 10
        await until(lambda: len(ground.arrived()) >= 10, within_s=PATIENCE_S)
        port = cable.port if role == "edge" else ground.port
        for number, (point, when, nth) in enumerate(points, 1):
            ground.kill(role)
            await until(lambda: not ground.is_alive(role))
            down.queue_telegram(ground.plant.spool, SystemClock(), "CC1", "CC2030", ORDER, key=f"k{number}")
            ground.start(role, port, point, when, nth)
            await _died(ground, role, level2)
        ground.start(role, port)
        await until(_all_there(ground, level2), within_s=PATIENCE_S)
        await until(lambda: ground.confirmed(ground.plant.spool) == len(points), within_s=PATIENCE_S)
        await until(lambda: ground.interpreted() == level2.sent, within_s=PATIENCE_S)
        assert ground.arrived() == list(range(1, level2.sent + 1))
        first_seen = list(dict.fromkeys(level2.orders))
        assert first_seen == list(range(1, len(points) + 1)), "each order in its turn"
        assert "Traceback" not in (ground.folder / "stderr").read_text(), "it was killed, it did not fail"


def _spread(points: tuple[Any, ...], short: int) -> list[Any]:
    """The short form takes some of the points; the long one all."""
    some = points[:: max(1, len(points) // short)]
    return [pytest.param(some, id="some"), pytest.param(points, id="all", marks=pytest.mark.slow)]


@pytest.mark.parametrize("points", _spread(EDGE_POINTS, 4))
def test_an_edge_killed_at_each_point_loses_and_doubles_nothing(ground: Ground, points: Any) -> None:
    asyncio.run(_kill_at_each(ground, points, "edge"))


@pytest.mark.parametrize("points", _spread(PLANT_POINTS, 3))
def test_a_plant_killed_at_each_point_loses_and_doubles_nothing(ground: Ground, points: Any) -> None:
    asyncio.run(_kill_at_each(ground, points, "plant"))
