"""Whole nodes for sync tests: real databases in real folders, a hub on a real port, steel facts, faults on the wire."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import pytest
from flask import Flask
from sqlalchemy import func, select
from werkzeug.serving import BaseWSGIServer, make_server

from shared.clock import FixedClock
from shared.db.engine import read, write
from shared.ids import derived_id, random_key
from shared.journal.chain import next_hash
from shared.journal.content_hash import content_hash
from shared.journal.fact import Draft, Occurred
from shared.journal.highest import NOTHING, Outside
from shared.journal.tables import applied, entry
from shared.material import projection as material
from shared.material.facts import Mass, MaterialCreated, MaterialMoved, NewAlias, NewMaterial, Size
from shared.node import Node, build_node, create_tables, make_folder
from shared.settings import NodeSettings
from shared.web import problems
from sync.backoff import Backoff
from sync.caller import Caller, Session
from sync.desk import Desk
from sync.endpoint import endpoint, install_desk
from sync.errors import StaleSession
from sync.exchange import Exchange, Pace
from sync.lease import Lease
from sync.limits import PROTOCOL
from sync.messages import SEAL, ZERO_HASH, Seal
from sync.pack import PackedEntry, join, pack_entries
from sync.peers import find_peer, trust_peer
from sync.recovering import Recovery
from sync.seal import digest, sign
from sync.station import Ground, begin, build_called, make_ground
from sync.transport import HttpTransport, MemoryTransport, Transport

START_MS = 1_773_205_200_000
QUICK = {
    "heartbeat_s": 0.2,
    "poll_s": 0.5,
    "retry_first_s": 0.05,
    "retry_max_s": 0.2,
    "connect_timeout_s": 2,
    "read_timeout_s": 20,
}


@dataclass
class Box:
    """A node with its station's parts, in a folder, with the deeds that tests need."""

    node: Node
    ground: Ground
    desk: Desk | None = None
    pieces: list[str] = field(default_factory=list)

    @property
    def code(self) -> str:
        return self.node.code

    def create(self, count: int = 1, mass_g: int = 20_000_000) -> list[str]:
        """Record new slabs, one business transaction each; returns their ids."""
        made = []
        for _ in range(count):
            number = len(self.pieces) + 1
            piece = derived_id(START_MS, self.code, "slab", number)
            new = NewMaterial(
                material_id=piece,
                kind="slab",
                aliases=(NewAlias(f"{self.code}.slab", f"{self.code}-{number}"),),
                mass=Mass(mass_g, "theoretical"),
                size=Size(250_000, 1_500_000, 9_000_000),
                place="yard",
            )
            self.record(MaterialCreated(material=new, origin="made"), piece)
            self.pieces.append(piece)
            made.append(piece)
        return made

    def move(self, piece: str, place: str) -> str:
        return self.record(MaterialMoved(material_id=piece, place=place), piece)

    def record(self, payload: Any, *subjects: str, fact_id: str | None = None) -> str:
        with self.node.journal.work() as tx:
            (made,) = tx.record(
                Draft(
                    payload=payload,
                    subjects=subjects,
                    actor="p1",
                    fact_id=fact_id,
                    occurred=Occurred(self.node.clock.now_ms(), "manual"),
                )
            )
        return made

    def count(self, table: Any = entry) -> int:
        with read(self.node.engine) as conn:
            return conn.execute(select(func.count()).select_from(table)).scalar_one()

    def entries_of(self, stream: str) -> int:
        with read(self.node.engine) as conn:
            return conn.execute(select(func.count()).where(entry.c.stream == stream)).scalar_one()

    def applied_of(self, author: str) -> int:
        with read(self.node.engine) as conn:
            return conn.execute(select(func.count()).where(applied.c.author == author)).scalar_one()

    def hash_of(self, author: str) -> str:
        with read(self.node.engine) as conn:
            return content_hash(conn, author)

    def apply(self) -> int:
        return self.ground.applying.apply_all()


def make_node(folder: Path, code: str, clock: FixedClock, database_url: str = "") -> Node:
    settings = NodeSettings(
        code=code,
        name=code,
        folder=folder / code,
        database_url=database_url,
        sync=QUICK,  # type: ignore[arg-type]
    )
    fresh = not settings.key_file.exists()
    if fresh:
        make_folder(settings)
    node = build_node(settings, [material.register], clock)
    if fresh:
        create_tables(node.engine)
    return node


def make_box(folder: Path, code: str, clock: FixedClock, database_url: str = "") -> Box:
    node = make_node(folder, code, clock, database_url)
    begin(node)
    return Box(node, make_ground(node, 500))


def make_hub(folder: Path, clock: FixedClock, database_url: str = "") -> Box:
    node = make_node(folder, "HUB", clock, database_url)
    station = build_called(node, 500)
    return Box(node, station.ground, station.desk)


def enrol(plant: Box, hub: Box) -> None:
    """Make two nodes trust each other, as an enrolment leaves them."""
    for here, there in ((plant, hub), (hub, plant)):
        with write(here.node.engine) as conn:
            trust_peer(conn, there.code, there.node.key.public, START_MS)


@dataclass(frozen=True)
class BoxCaller(Caller):
    """A caller that knows whose it is, so that it can mend what a hello shows to have parted."""

    box: Box | None = None
    outside: Outside = NOTHING

    def settle(self, session: Session) -> bool:
        assert self.box is not None
        write_now = self.box.ground.anchoring.write_now
        return Recovery(self, self.box.node.journal, self.outside, write_now).settle(session)


def make_caller(
    plant: Box, transport: Transport, limit: Callable[[], int | None] = lambda: None, outside: Outside = NOTHING, **more
) -> BoxCaller:
    with read(plant.node.engine) as conn:
        peer = find_peer(conn, "HUB")
    assert peer is not None
    node = plant.node
    return BoxCaller(
        node.code,
        peer,
        node.engine,
        node.clock,
        node.key,
        transport,
        limit,
        bytes_max=2 << 20,
        numbers=outside.numbers,
        box=plant,
        outside=outside,
        **more,
    )


def meet(caller: BoxCaller) -> Session:
    """Hello, and again after each mending, until there is nothing to mend."""
    session = caller.hello()
    for _ in range(5):
        if not caller.settle(session):
            return session
        session = caller.hello()
    raise AssertionError("a recovery asks for itself again and again")


def drain(caller: Caller, entries_max: int = 2_000, heartbeat: bool = True) -> int:
    """Hello, then push until the hub holds everything, then one heartbeat; returns the number of batches."""
    session = meet(caller)
    batches = 0
    while (run := caller.next_run(entries_max)) is not None:
        caller.push(session, run)
        batches += 1
    if heartbeat:
        caller.push(session, None)
    return batches


def drain_after_a_death(caller: Caller) -> None:
    """drain(); but a hello of the process that was killed may still be on its way to a hub that lives, and ends the
    session of who comes after it."""
    for _ in range(2):
        with suppress(StaleSession):
            drain(caller)
            return
    drain(caller)


def forge(plant, session, facts: list[bytes], first=1, prev=ZERO_HASH, epoch=None, **changes) -> bytes:
    """A well-sealed batch of any bytes, signed by the plant's own key."""
    epoch = epoch or random_key()
    head = prev
    for seq, body in enumerate(facts, start=first):
        head = next_hash(epoch, changes.get("stream", "ALD"), seq, head, body)
    raw = pack_entries(PackedEntry(body) for body in facts)
    values = dict(
        proto=PROTOCOL,
        node="ALD",
        audience="HUB",
        sent_ms=1,
        kind="batch",
        stream="ALD",
        epoch=epoch,
        parent=None,
        first=first,
        last=first + len(facts) - 1,
        prev=prev,
        head=head,
        bytes=digest(raw),
        complete_through=1,
        incarnation=session.incarnation,
        session=session.id,
        key=plant.node.key.id,
    )
    return join(sign(plant.node.key, SEAL, Seal(**{**values, **changes})), raw)


def raw_fact(number: int, **changes) -> bytes:
    """A fact's bytes as a plant ALD might write them, with anything replaced."""
    values = {
        "fact_id": derived_id(1_000 + number, "raw", number),
        "type": "MaterialMoved",
        "version": 1,
        "author": "ALD",
        "actor": "p1",
        "subjects": [{"id": f"m{number}", "prev": None}],
        "recorded_at_ms": 1_000 + number,
        "causes": [],
        "occurred": {"at_ms": 1, "source": "manual", "offset_min": 0},
        "standard": None,
        "payload": {"material_id": f"m{number}", "place": "yard"},
    }
    return msgspec.json.encode({**values, **changes}, order="deterministic")


def make_exchange(plant: Box, transport: Transport) -> Exchange:
    sync = plant.node.settings.sync
    caller = make_caller(plant, transport)
    return Exchange(
        caller,
        Pace(sync.heartbeat_s, sync.poll_s, sync.batch_entries_max),
        Backoff(sync.retry_first_s, sync.retry_max_s, lambda: 0.5),
        plant.ground.departing,
        plant.ground.arrived,
        Lease(plant.node.engine, "ship:HUB", 15),
        caller.settle,
    )


def make_app(desk: Desk) -> Flask:
    app = Flask("hub")
    problems.install(app)
    app.register_blueprint(endpoint)
    install_desk(app, desk)
    return app


@dataclass
class Server:
    """The hub's doors on a loopback port."""

    server: BaseWSGIServer
    thread: threading.Thread

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"

    def stop(self) -> None:
        self.server.shutdown()
        self.thread.join(10)
        self.server.server_close()


def serve(app: Flask, port: int = 0) -> Server:
    server = make_server("127.0.0.1", port, app, threaded=True)
    server.daemon_threads = True  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    return Server(server, thread)


@dataclass
class Kit:
    """What the tests of this room are built from."""

    folder: Path
    clock: FixedClock
    closing: list[Callable[[], None]] = field(default_factory=list)

    def plant(self, code: str = "ALD") -> Box:
        return make_box(self.folder, code, self.clock)

    def installed_again(self, code: str, database_url: str = "") -> Box:
        """A node whose folder has its keys and nothing else."""
        node = make_node(self.folder, code, self.clock, database_url)
        create_tables(node.engine)
        begin(node)
        return Box(node, make_ground(node, 500))

    def hub(self, database_url: str = "") -> Box:
        return make_hub(self.folder, self.clock, database_url)

    def serve(self, hub: Box, port: int = 0) -> Server:
        assert hub.desk is not None
        server = serve(make_app(hub.desk), port)
        self.closing.append(server.stop)
        return server

    def http(self, server: Server) -> HttpTransport:
        return HttpTransport(server.url, connect_s=2, read_s=20)

    def memory(self, hub: Box) -> MemoryTransport:
        assert hub.desk is not None
        return MemoryTransport(hub.desk)

    def exchange(self, plant: Box, transport: Transport) -> Exchange:
        made = make_exchange(plant, transport)
        self.closing.append(made.stop)
        return made

    enrol = staticmethod(enrol)
    caller = staticmethod(make_caller)
    meet = staticmethod(meet)
    drain = staticmethod(drain)
    drain_after_a_death = staticmethod(drain_after_a_death)
    forge = staticmethod(forge)
    raw_fact = staticmethod(raw_fact)


@pytest.fixture
def kit(tmp_path: Path) -> Iterator[Kit]:
    made = Kit(tmp_path, FixedClock(START_MS))
    yield made
    for close in reversed(made.closing):
        close()
