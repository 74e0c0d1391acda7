"""Nodes for timings: a plant with a backlog in this process, a hub in a process of its own, served as in production."""

from __future__ import annotations

import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import delete

from shared.clock import SystemClock
from shared.db.engine import read, write
from shared.ids import new_id
from shared.journal.bulk import record_many
from shared.journal.fact import Draft, Occurred
from shared.journal.position import applied_to
from shared.journal.reading import last_entry, lives
from shared.material import projection as material
from shared.material.facts import Mass, MaterialCreated, MaterialMoved, NewAlias, NewMaterial, Size
from shared.node import Node, build_node, create_tables, make_folder
from shared.ports import free_port
from shared.settings import NodeSettings, check
from sync.beginning import begin
from sync.peers import trust_peer
from sync.station import build_calling, make_ground
from sync.tables import peer
from sync.transport import Door, Transport

FACTS_A_TRANSACTION = 500
START_S = 30.0
LONGEST_S = 900.0


@dataclass(frozen=True)
class RunningHub:
    """A hub in its own process; `node` is this process's look into the same database."""

    node: Node
    port: int
    process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"


class Counted:
    """A transport that counts the bytes it sends."""

    def __init__(self, inner: Transport) -> None:
        self._inner = inner
        self.sent = 0

    def send(self, door: Door, body: bytes) -> bytes:
        """Pass on and count."""
        self.sent += len(body)
        return self._inner.send(door, body)


def make_node(folder: Path, code: str, database_url: str = "", port: int = 8400) -> Node:
    """A fresh node that knows pieces of material and nothing else."""
    node_folder = folder / code
    values = {"code": code, "name": code, "folder": node_folder, "database_url": database_url, "web": {"port": port}}
    settings = check(NodeSettings, values, where="this timing")
    make_folder(settings)
    node = build_node(settings, [material.register], SystemClock())
    create_tables(node.engine)
    return node


def fill(plant: Node, facts: int) -> None:
    """A backlog as plants make it: pieces born, then moved about."""
    begin(plant)
    pieces: list[str] = []
    for at in range(0, facts, FACTS_A_TRANSACTION):
        with plant.journal.work() as tx:
            record_many(tx, [draft(plant, n, pieces) for n in range(at, min(at + FACTS_A_TRANSACTION, facts))])
    make_ground(plant, FACTS_A_TRANSACTION).anchoring.write_now()  # else the next start counts as a restore


def draft(plant: Node, n: int, pieces: list[str]) -> Draft[MaterialCreated] | Draft[MaterialMoved]:
    """The n-th fact of a backlog; `pieces` are those born before, and it adds to them."""
    occurred = Occurred(plant.clock.now_ms(), "l2:bench")
    if n % 4:
        piece = pieces[n * 7 % len(pieces)]
        moved = MaterialMoved(material_id=piece, place=f"bay{n % 13}")
        return Draft(payload=moved, subjects=(piece,), actor="bench", occurred=occurred)
    piece = new_id(plant.clock)
    pieces.append(piece)
    new = NewMaterial(
        material_id=piece,
        kind="slab",
        aliases=(NewAlias("ALD.slab", f"4H{n:05d}-1-{n % 9}"),),
        mass=Mass(20_000_000 + n, "theoretical"),
        size=Size(250_000, 1_500_000, 9_000_000 + n),
        chemistry_e6={"C": 450 + n % 7, "Mn": 3_500 + n % 11, "Si": 120, "P": 80 + n % 3},
    )
    return Draft(
        payload=MaterialCreated(material=new, origin="made"), subjects=(piece,), actor="bench", occurred=occurred
    )


def length(node: Node, stream: str) -> int:
    """Entries of a stream that are durable at this node."""
    with read(node.engine) as conn:
        return sum(last_entry(conn, stream, life.epoch)[0] for life in lives(conn, stream))


def wait_for_receipts(plant: Node, hub: Node, count: int) -> float:
    """Wait until signed receipts name so many entries as durable at the hub; returns the seconds it took.

    The plant's own database is asked, by one plain statement: who waits must not cost what is timed.
    """
    with closing(sqlite3.connect(str(plant.engine.url.database))) as look:
        query = "SELECT coalesce(sum(durable), 0) FROM sync_position WHERE peer = ? AND stream = ?"
        return wait_until(
            lambda: look.execute(query, (hub.code, plant.code)).fetchone()[0] >= count, what=f"{plant.code}'s backlog"
        )


def applied_count(node: Node, stream: str) -> int:
    """Entries of a stream that have been applied at this node."""
    with read(node.engine) as conn:
        return sum(applied_to(conn, stream, life.epoch) for life in lives(conn, stream))


@contextmanager
def running_hub(
    folder: Path, code: str, plants: list[Node], database_url: str = "", *, applies: bool = False
) -> Iterator[RunningHub]:
    """A hub that knows these plants, in a process of its own; it applies only when asked to."""
    port = free_port()
    hub = make_node(folder, code, database_url, port)
    now = hub.clock.now_ms()
    for plant in plants:
        with write(hub.engine) as conn:
            trust_peer(conn, plant.code, plant.key.public, now)
        with write(plant.engine) as conn:
            trust_peer(conn, code, hub.key.public, now)
    hub.engine.dispose()
    words = [str(folder), code, str(port), database_url, *(["applies"] if applies else [])]
    process = subprocess.Popen([sys.executable, "-m", "bench.hub_process", *words])
    try:
        wait_until(lambda: port_answers(port), START_S, what=f"{code} to answer")
        yield RunningHub(hub, port, process)
    finally:
        process.terminate()
        process.wait(timeout=30)
        hub.engine.dispose()
        for plant in plants:  # a plant has one hub at a time
            with write(plant.engine) as conn:
                conn.execute(delete(peer).where(peer.c.peer == code))


@contextmanager
def shipping(plant: Node, way: Transport) -> Iterator[None]:
    """The plant's real exchange, running."""
    station = build_calling(plant, lambda: None, 2_000, way)
    station.start()
    try:
        yield
    finally:
        station.stop()


def wait_until(holds: Callable[[], bool], longest_s: float = LONGEST_S, *, what: str, every_s: float = 0.01) -> float:
    """Wait for a condition; returns the seconds it took. TimeoutError when it does not come to hold."""
    began = time.perf_counter()
    while not holds():
        if time.perf_counter() - began > longest_s:
            raise TimeoutError(f"waited {longest_s:.0f} s for {what}")
        time.sleep(every_s)
    return time.perf_counter() - began


def port_answers(port: int) -> bool:
    """Whether somebody listens there."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
