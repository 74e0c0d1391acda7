"""What a dying process may be doing besides running: one deed each, on a node that lies in a folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import node_process

from shared.db.engine import read, write
from shared.journal.highest import NOTHING
from shared.journal.rebuild import rebuild, redrive_in_steps
from sync.beginning import begin
from sync.bundles.export import export, road_up
from sync.bundles.take import take
from sync.caller import Caller
from sync.enrolment import enrol
from sync.peers import list_peers
from sync.recovering import Recovery
from sync.station import make_ground
from sync.transport import HttpTransport


def redrive_hub(folder: Path, _port: int) -> None:
    node = node_process.open_node("HUB", folder)
    redrive_in_steps(node.engine, node.journal.appliers, node.clock)


def rebuild_hub(folder: Path, _port: int) -> None:
    node = node_process.open_node("HUB", folder)
    with write(node.engine) as conn:
        rebuild(conn, node.journal.appliers, node.clock.now_ms())


def enrol_plant(folder: Path, port: int) -> None:
    token = (folder / "token").read_text()
    enrol(node_process.open_node("ALD", folder), token, HttpTransport(f"http://127.0.0.1:{port}"))


def write_bundle(folder: Path, number: int) -> None:
    node = node_process.open_node("ALD", folder)
    export(road_up(node, lambda: None), folder / f"up{number}.bundle")


def read_bundle(folder: Path, _port: int) -> None:
    with (folder / "up.bundle").open("rb") as source:
        take(node_process.open_node("HUB", folder), source)


def mend_plant(folder: Path, port: int) -> None:
    node = node_process.open_node("ALD", folder)
    begin(node)
    ground = make_ground(node, 10)
    with read(node.engine) as conn:
        (peer,) = list_peers(conn)
    way = HttpTransport(f"http://127.0.0.1:{port}")
    caller = Caller(node.code, peer, node.engine, node.clock, node.key, way, lambda: None, bytes_max=2 << 20)
    recovery = Recovery(caller, node.journal, NOTHING, ground.anchoring.write_now)
    while recovery.settle(caller.hello()):
        pass


ROLES: dict[str, Callable[[Path, int], None]] = {
    "redrive": redrive_hub,
    "rebuild": rebuild_hub,
    "enrol": enrol_plant,
    "export": write_bundle,
    "import": read_bundle,
    "mend": mend_plant,
}
