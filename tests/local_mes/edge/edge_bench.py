"""A hosted plant and its edge over a line that can be cut, on real databases, stepped by the test."""

from __future__ import annotations

import shutil
import sqlite3
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import select

from shared.ports import free_port

sys.path.insert(0, str(Path(__file__).parents[1] / "level2"))

from level2_peers import MODEL, PLANTS

from local_mes.level2.edge import tables
from local_mes.level2.edge.enrolment import enrol_edge, issue_token
from local_mes.level2.edge.hosting import Hosting, prepare
from local_mes.level2.edge.recording import oldest_unrecorded_ms
from local_mes.level2.edge.site import Carrier, build_edge, init_edge
from local_mes.level2.links import load_links
from local_mes.level2.spool import Incoming, append, create_spool
from local_mes.level2.spool_tables import message
from local_mes.plant import Plant
from local_mes.wiring import build_plant, init_plant
from shared.clock import FixedClock
from shared.db.engine import read, write
from shared.journal.highest import NOTHING
from shared.settings import PlantSettings
from sync.caller import Caller
from sync.enrolment import enrol
from sync.peers import list_peers
from sync.recovering import Recovery
from sync.station import build_calling
from sync.transport import MemoryTransport

EDGE = "ALDE1"
SETPOINT_VALID_MS = 240_000
"""A busy machine may need longer for a set-point than a machine of a plant is waited for."""


def settings_of(folder: Path, *, edge: bool, port: int = 1, link_port: int = 0, **more: Any) -> PlantSettings:
    """The settings of one of the two; both name the same model."""
    model = folder / "model.toml"
    if not model.exists():
        text = MODEL.format(
            port=link_port or free_port(), layouts=PLANTS / "ald" / "telegrams", heartbeat_s=30, resend_s=5, more=""
        )
        for name in ("test_cut", "test_marked", "test_result"):
            text = text.replace(name, "ignore")
        model.write_text(text)
    quick = {"heartbeat_s": 0.2, "poll_s": 1, "retry_first_s": 0.05, "retry_max_s": 0.3, "batch_entries_max": 50}
    return PlantSettings(
        code=EDGE if edge else "ALD",
        name="Test",
        folder=folder / ("site" if edge else "plant"),
        model=model,
        hub_url=f"http://127.0.0.1:{port}",
        sync=quick,  # type: ignore[arg-type]
        edge="" if edge else EDGE,
        **more,
    )


class EnrolTransport:
    """The enrolment door, without HTTP."""

    def __init__(self, answer: Callable[[bytes], bytes]) -> None:
        self._answer = answer

    def send(self, _door: str, body: bytes) -> bytes:
        return self._answer(body)


def make_both(folder: Path, clock: FixedClock) -> None:
    """The first starts of both, which take the longest: made once and copied for each test."""
    plant = init_plant(settings_of(folder, edge=False), clock)
    prepare(plant, load_links(plant.settings))
    edge = init_edge(settings_of(folder, edge=True), clock)
    for engine in (plant.node.engine, plant.spool, edge.node.engine, edge.spool):
        engine.dispose()


@dataclass
class Two:
    """The plant and its edge; up() and down() carry once, level() until nothing is left to carry."""

    folder: Path
    clock: FixedClock
    edge_clock: FixedClock
    sequence: int = 0

    def __post_init__(self) -> None:
        self.plant: Plant = build_plant(settings_of(self.folder, edge=False), self.clock)
        prepare(self.plant, load_links(self.plant.settings))
        self.edge: Plant = build_edge(settings_of(self.folder, edge=True), self.edge_clock)
        self._open()

    def _open(self) -> None:
        self.hosting = Hosting(self.plant)
        self.line = MemoryTransport(self.hosting.station.desk)
        self.open_edge()

    def open_edge(self) -> None:
        """Begin a new life of the edge's process."""
        self.station = build_calling(self.edge.node, partial(oldest_unrecorded_ms, self.edge), 100, self.line)
        self.carrier = Carrier(self.edge)

    def enrol(self) -> None:
        token = issue_token(self.hosting.node, EDGE)
        enrol(self.edge.node, token, EnrolTransport(partial(enrol_edge, self.hosting.node, EDGE)))  # type: ignore[arg-type]

    def restart_edge(self, before: Callable[[], None] = lambda: None) -> None:
        """Stop the edge, do something to its folder, start it again."""
        self.edge.node.engine.dispose()
        self.edge.spool.dispose()
        before()
        self.edge = build_edge(self.edge.settings, self.edge_clock)
        create_spool(self.edge.spool, self.edge_clock)
        tables.make_tables(self.edge.spool)
        self.open_edge()

    def restart_plant(self, before: Callable[[], None] = lambda: None) -> None:
        self.close_plant()
        before()
        self.plant = build_plant(self.plant.settings, self.clock)
        prepare(self.plant, load_links(self.plant.settings))
        self._open()

    def close_plant(self) -> None:
        for engine in (self.hosting.node.engine, self.plant.node.engine, self.plant.spool):
            engine.dispose()

    def hears(self, count: int = 1, *, message: str = "CC1060", **fields: Any) -> list[str]:
        """Level 2 says something at the edge; returns what to look for."""
        said = []
        with write(self.edge.spool) as conn:
            for _ in range(count):
                self.sequence += 1
                self.edge_clock.advance(1_000)
                said.append(f"n{self.sequence}")
                now, content = self.edge_clock.now_ms(), {"heat": said[-1]} | fields
                body = str(content).encode()
                append(conn, Incoming("CC1", message, self.sequence, str(now), now, now, 0, 60, b"raw", body, content))
        return said

    def carry(self, rounds: int = 1) -> None:
        """One session of the edge: hello, mend, push all, pull all; and what both ends make of it."""
        for _ in range(rounds):
            while self.carrier.step():
                continue
            self.exchange()
            while self.hosting.step():
                continue
            self.exchange()
            while self.carrier.step():
                continue

    def exchange(self) -> None:
        """One session: hello, mend, push all, pull all."""
        with read(self.edge.node.engine) as conn:
            peer = list_peers(conn)[0]
        edge = self.edge.node
        caller = Caller(
            edge.code, peer, edge.engine, edge.clock, edge.key, self.line, partial(oldest_unrecorded_ms, self.edge),
            bytes_max=1 << 20,
        )  # fmt: skip
        recovery = Recovery(caller, edge.journal, NOTHING, self.station.ground.anchoring.write_now)
        session = caller.hello()
        while recovery.settle(session):
            session = caller.hello()
        while (run := caller.next_run(50)) is not None:
            caller.push(session, run)
        caller.push(session, None)
        while caller.pull(session, 0):
            continue
        self.station.ground.applying.apply_all()
        self.station.ground.anchoring.write_now()

    def arrived(self) -> list[str]:
        """What the plant's spool holds, in its order."""
        with read(self.plant.spool) as conn:
            rows = conn.execute(select(message.c.fields).order_by(message.c.spool_id)).scalars()
            return [msgspec.json.decode(text).get("heat", "") for text in rows]

    def spool_rows(self) -> list[Any]:
        with read(self.plant.spool) as conn:
            return list(conn.execute(select(message).order_by(message.c.spool_id)))


def back_up(file: Path, to: Path) -> None:
    """An online backup of a database."""
    with sqlite3.connect(file) as source, sqlite3.connect(to) as target:
        source.backup(target)


def put_back(backup: Path, file: Path) -> None:
    for name in (file, Path(f"{file}-wal"), Path(f"{file}-shm")):
        name.unlink(missing_ok=True)
    shutil.copy(backup, file)
