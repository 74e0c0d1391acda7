"""What a process says to the supervisor that runs it, heard on the socket that the supervisor would have."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.ports import free_port
from shared.supervisor import Supervisor

ROOT = Path(__file__).parents[2]
HEARD_S = 60
NODE = textwrap.dedent("""
    import sys
    from pathlib import Path
    from flask import Flask
    from shared import supervisor
    from shared.settings import NodeSettings, check
    from shared.web.server import Served, serve

    supervisor.ALIVE_EVERY_S = 0.1
    folder = Path(sys.argv[1])
    values = {"code": "ALD", "name": "ALD", "folder": folder, "web": {"port": int(sys.argv[2])}}
    serve(check(NodeSettings, values, "test"), lambda: Served(Flask("node"), (folder / "started").touch, lambda: None))
""")


@pytest.fixture
def ear(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as made:
        made.bind(str(tmp_path / "notify"))
        made.settimeout(HEARD_S)
        yield made


def test_a_node_says_ready_when_its_work_has_begun_then_alive_then_stopping(ear: socket.socket, tmp_path: Path) -> None:
    node = subprocess.Popen(
        [sys.executable, "-c", NODE, str(tmp_path), str(free_port())],
        cwd=ROOT,
        env={**os.environ, "NOTIFY_SOCKET": ear.getsockname()},
    )
    try:
        assert ear.recv(100) == b"READY=1"
        assert (tmp_path / "started").exists()
        assert ear.recv(100) == b"WATCHDOG=1"
        assert ear.recv(100) == b"WATCHDOG=1"
        node.send_signal(signal.SIGTERM)
        while (said := ear.recv(100)) == b"WATCHDOG=1":
            pass
        assert said == b"STOPPING=1"
        assert node.wait(HEARD_S) == 0
    finally:
        node.kill()
        node.wait()


def test_alive_is_said_no_oftener_than_needed(ear: socket.socket) -> None:
    here = Supervisor(ear.getsockname())
    for _ in range(1_000):
        here.alive()
    here.ready()
    assert [ear.recv(100), ear.recv(100)] == [b"WATCHDOG=1", b"READY=1"]


def test_without_a_supervisor_or_with_one_that_is_gone_work_goes_on(tmp_path: Path) -> None:
    for address in ("", str(tmp_path / "nobody"), "@nobody-listens-here"):
        Supervisor(address).ready()
