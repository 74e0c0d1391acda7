"""Shipping a backlog: a plant on SQLite that was offline meets its hub over HTTP, all on this machine.

Measured a run, with a fresh hub each: facts a second until received and durable (chain and signature verified), facts
a second applied into rows afterwards, and bytes on the wire a fact. The reference in the same run is the plain insert
of the same rows into the same database in transactions of 2,000, without network, seal or chain.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from flask import Flask
from sqlalchemy import create_engine, insert, select, text
from werkzeug.serving import make_server

from shared.clock import SystemClock
from shared.db.engine import read, write
from shared.ids import new_id, random_key
from shared.journal.fact import Draft, Occurred
from shared.journal.tables import entry, fact
from shared.material import projection as material
from shared.material.facts import Mass, MaterialCreated, MaterialMoved, NewAlias, NewMaterial, Size
from shared.node import Node, build_node, create_tables, make_folder
from shared.settings import NodeSettings, check
from sync.caller import Caller
from sync.endpoint import endpoint, install_desk
from sync.peers import find_peer, trust_peer
from sync.station import begin, build_called, make_ground
from sync.transport import Door, HttpTransport
from tools.postgres import find_programs, temporary_cluster

FACTS_A_TRANSACTION = 500


@dataclass(frozen=True)
class Run:
    """One run's figures, a second and a fact."""

    reference: float
    shipped: float
    applied: float
    wire_bytes: float


class Counted:
    """A transport that counts the bytes it sends."""

    def __init__(self, inner: HttpTransport) -> None:
        self._inner = inner
        self.sent = 0

    def send(self, door: Door, body: bytes) -> bytes:
        """Pass on and count."""
        self.sent += len(body)
        return self._inner.send(door, body)


def measure_backlog(folder: Path, facts: int, runs: int) -> Iterator[tuple[str, list[Run]]]:
    """(the hub's database, runs): SQLite, and PostgreSQL where it is installed."""
    plant = make_node(folder, "ALD")
    _fill(plant, facts)
    yield "SQLite", [_measure(plant, folder, f"HUB{n}", "") for n in range(runs)]
    programs = find_programs()
    if programs is None:
        return
    with temporary_cluster(programs, fsync=True) as url:
        yield "PostgreSQL", [_measure(plant, folder, f"PG{n}", _database(url, f"run{n}")) for n in range(runs)]


def _measure(plant: Node, folder: Path, code: str, database_url: str) -> Run:
    hub = make_node(folder, code, database_url)
    station = build_called(hub, 2_000)
    app = Flask("hub")
    app.register_blueprint(endpoint)
    install_desk(app, station.desk)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        way = Counted(HttpTransport(f"http://127.0.0.1:{server.server_port}"))
        seconds, count = _ship(_caller(plant, hub, way))
        began = time.perf_counter()
        applied = make_ground(hub, 2_000).applying.apply_all()
        apply_s = time.perf_counter() - began
    finally:
        server.shutdown()
        server.server_close()
    return Run(_reference(plant, hub), count / seconds, applied / apply_s, way.sent / count)


def _ship(caller: Caller) -> tuple[float, int]:
    began, count = time.perf_counter(), 0
    session = caller.hello()
    while (run := caller.next_run(2_000)) is not None:
        caller.push(session, run)
        count += len(run.entries)
    return time.perf_counter() - began, count


def _reference(plant: Node, hub: Node) -> float:
    """Rows a second of a plain bulk insert of the same facts under other ids."""
    with read(plant.engine) as conn:
        rows = [dict(row) for row in conn.execute(select(fact)).mappings()]
    places = [
        {"stream": "plain", "epoch": random_key(), "seq": n, "hash": "0" * 64, "fact_id": f"{n:032x}"}
        for n in range(len(rows))
    ]
    copies = [{**row, "fact_id": place["fact_id"]} for row, place in zip(rows, places, strict=True)]
    began = time.perf_counter()
    for at in range(0, len(rows), 2_000):
        with write(hub.engine) as conn:
            conn.execute(insert(fact), copies[at : at + 2_000])
            conn.execute(insert(entry), places[at : at + 2_000])
    return len(rows) / (time.perf_counter() - began)


def _caller(plant: Node, hub: Node, way: Counted) -> Caller:
    now = plant.clock.now_ms()
    with write(plant.engine) as conn:
        trust_peer(conn, hub.code, hub.key.public, now)
        peer = find_peer(conn, hub.code)
    with write(hub.engine) as conn:
        trust_peer(conn, plant.code, plant.key.public, now)
    if peer is None:
        raise LookupError(f"{hub.code} was just made a peer and is none")
    return Caller(plant.code, peer, plant.engine, plant.clock, plant.key, way, lambda: None, bytes_max=2 << 20)


def make_node(folder: Path, code: str, database_url: str = "") -> Node:
    """A fresh node that knows pieces of material and nothing else."""
    values = {"code": code, "name": code, "folder": folder / code, "database_url": database_url}
    settings = check(NodeSettings, values, where="this timing")
    make_folder(settings)
    node = build_node(settings, [material.register], SystemClock())
    create_tables(node.engine)
    return node


def _fill(plant: Node, facts: int) -> None:
    """A backlog as plants make it: pieces born, then moved about."""
    begin(plant)
    pieces: list[str] = []
    for at in range(0, facts, FACTS_A_TRANSACTION):
        with plant.journal.work() as tx:
            for n in range(at, min(at + FACTS_A_TRANSACTION, facts)):
                tx.record(draft(plant, n, pieces))


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


def _database(url: str, name: str) -> str:
    admin = create_engine(url, isolation_level="AUTOCOMMIT")
    with admin.connect() as conn:
        conn.execute(text(f"CREATE DATABASE {name}"))
    admin.dispose()
    return url.replace("@/postgres?", f"@/{name}?")
