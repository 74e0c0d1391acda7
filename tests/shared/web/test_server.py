"""The process of a node: answers, ends quickly with a long poll open, and runs once only."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import textwrap
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.errors import BadSetup
from shared.ports import free_port
from shared.web.server import check_port, hold_folder

PROGRAM = textwrap.dedent("""
    import sys, threading
    from pathlib import Path
    from flask import Flask
    from shared.settings import NodeSettings, check
    from shared.web import server
    from shared.web.server import Served, serve

    server.SILENCE_S = 1
    folder, port = Path(sys.argv[1]), int(sys.argv[2])
    settings = check(NodeSettings, {"code": "ALD", "name": "ALD", "folder": folder, "web": {"port": port, "threads": 4}}, "test")

    def build():
        app = Flask("node")
        stopping = threading.Event()
        app.get("/")(lambda: "here")

        @app.get("/poll")
        def poll():
            (folder / "polled").touch()
            threading.Event().wait(60)
            return ""

        return Served(app, lambda: (folder / "started").touch(), lambda: (folder / "stopped").touch())

    serve(settings, build)
""")
ROOT = Path(__file__).parents[3]
UP_S = 60.0


def wait_for(path: Path) -> None:
    end = time.monotonic() + UP_S
    while not path.exists():
        assert time.monotonic() < end, f"{path.name} did not appear"
        time.sleep(0.05)


@pytest.fixture
def running(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[bytes], int, Path]]:
    port = free_port()
    process = subprocess.Popen([sys.executable, "-c", PROGRAM, str(tmp_path), str(port)], cwd=ROOT)
    try:
        wait_for(tmp_path / "started")
        yield process, port, tmp_path
    finally:
        process.kill()
        process.wait()


def test_a_node_answers_and_ends_soon_even_with_a_long_poll_open(
    running: tuple[subprocess.Popen[bytes], int, Path],
) -> None:
    process, port, folder = running
    assert urllib.request.urlopen(f"http://127.0.0.1:{port}/").read() == b"here"
    with socket.create_connection(("127.0.0.1", port)) as poller:
        poller.sendall(b"GET /poll HTTP/1.1\r\nHost: x\r\n\r\n")
        wait_for(folder / "polled")
        begun = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    assert (folder / "stopped").exists()
    assert time.monotonic() - begun < 15


def test_peers_that_stop_in_the_middle_of_a_request_hold_no_thread(
    running: tuple[subprocess.Popen[bytes], int, Path],
) -> None:
    _, port, _ = running
    silent = [socket.create_connection(("127.0.0.1", port)) for _ in range(8)]
    for peer in silent[:4]:
        peer.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Le")
    for peer in silent[4:]:
        peer.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n")
    assert urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=20).read() == b"here"
    for peer in silent:
        peer.close()


def test_a_second_process_on_folder_or_port_is_refused_in_words(
    running: tuple[subprocess.Popen[bytes], int, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.web.server.PREDECESSOR_S", 0.3)  # this one does not end
    _, port, folder = running
    with pytest.raises(BadSetup, match="Another process runs the node"):
        hold_folder(folder)
    with pytest.raises(BadSetup, match=f"Port {port} on 127.0.0.1 is taken"):
        check_port("127.0.0.1", port)
    check_port("127.0.0.1", free_port())
