"""What a dying process may be doing besides running: one deed each, on a node that lies in a folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import node_process

from shared.db.engine import write
from shared.journal.rebuild import rebuild, redrive_in_steps
from sync.bundles.export import export, road_up
from sync.bundles.take import take
from sync.enrolment import enrol
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


ROLES: dict[str, Callable[[Path, int], None]] = {
    "redrive": redrive_hub,
    "rebuild": rebuild_hub,
    "enrol": enrol_plant,
    "export": write_bundle,
    "import": read_bundle,
}
