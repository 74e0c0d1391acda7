"""Runs a node's face under gunicorn: one worker process of threads, background threads in the worker, quick end.

The app is built in the worker, after the fork, because neither database connections nor threads survive one. A lock
in the node's folder is held by master and worker together, so that two processes never run one node, not even while
an orphaned worker is still on its way out.
"""

from __future__ import annotations

import fcntl
import socket
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import IO, Any

from flask import Flask
from gunicorn.app.base import BaseApplication
from gunicorn.workers.gthread import ThreadWorker

from shared.errors import BadSetup
from shared.interpreter import give_back_memory, keep_all
from shared.settings import NodeSettings
from shared.supervisor import Supervisor, find_supervisor

GRACE_S = 4
"""Requests under way at the end of a process have this long; a long poll is simply asked again."""
PREDECESSOR_S = 6.0
"""How long a start waits for the process before it to be gone: an orphaned worker notices within a second."""
KEEPALIVE_S = 75
"""Longer than the pause between two calls of a syncing plant, so that it need not connect anew each time."""
SILENCE_S = 20
"""Between two bytes of a request, or of an answer that is not taken; far above what a narrow line needs."""
WORKER_SILENCE_S = 120


@dataclass(frozen=True)
class Served:
    """What runs in the worker: the app, and how its background is started and, soon, stopped."""

    app: Flask
    start: Callable[[], None]
    stop: Callable[[], None]


class NodeWorker(ThreadWorker):  # type: ignore[misc]
    """Stops the background as soon as the end is announced, while requests under way are still answered."""

    served: Served | None = None
    stopper: threading.Thread | None = None
    supervisor = Supervisor()

    def notify(self) -> None:
        """The worker's loop went round: said to gunicorn's master, and to the supervisor of both."""
        super().notify()
        self.supervisor.alive()

    def enqueue_req(self, conn: Any) -> None:
        """Bound the time between two bytes of a request or an answer: a peer that says nothing more holds no thread."""
        for option in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
            conn.sock.setsockopt(socket.SOL_SOCKET, option, struct.pack("ll", SILENCE_S, 0))
        super().enqueue_req(conn)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """The end is announced: TERM from the master."""
        self.supervisor.stopping()
        if self.served is not None and self.stopper is None:
            self.stopper = threading.Thread(target=self.served.stop, name="stopper")
            self.stopper.start()
        super().handle_exit(sig, frame)

    def handle_quit(self, sig: int, frame: FrameType | None) -> None:
        """Ctrl-C reaches master and worker alike: the same end, no shorter one."""
        self.handle_exit(sig, frame)


class NodeServer(BaseApplication):  # type: ignore[misc]
    """gunicorn, configured by the node's settings and by nothing else."""

    def __init__(self, settings: NodeSettings, build: Callable[[], Served]) -> None:
        self._settings = settings
        self._build = build
        self.supervisor = find_supervisor()
        super().__init__()

    def load_config(self) -> None:
        """All options that differ from gunicorn's own."""
        web = self._settings.web
        options: dict[str, Any] = {
            "bind": f"{web.host}:{web.port}",
            "workers": 1,
            "worker_class": NodeWorker,
            "threads": web.threads,
            "graceful_timeout": GRACE_S,
            "timeout": WORKER_SILENCE_S,
            "keepalive": KEEPALIVE_S,
            "loglevel": "warning",
            "control_socket_disable": True,
            "post_worker_init": _start,
            "worker_exit": _finish,
            "proc_name": f"strandline-{self._settings.code.lower()}",
        }
        for name, value in options.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        """Called in the worker."""
        self.served = self._build()
        return self.served.app


def _start(worker: NodeWorker) -> None:
    worker.served = worker.app.served
    keep_all()
    give_back_memory()
    worker.served.start()
    worker.supervisor = worker.app.supervisor
    worker.supervisor.ready()


def _finish(_server: Any, worker: NodeWorker) -> None:
    if worker.served is None:
        return
    if worker.stopper is None:
        worker.served.stop()
    else:
        worker.stopper.join(GRACE_S)


def serve(settings: NodeSettings, build: Callable[[], Served]) -> None:
    """Run a node alone until told to end. BadSetup where the port is taken or another process runs this node."""
    lock = hold_folder(settings.folder)
    try:
        run(settings, build)
    finally:
        lock.close()


def run(settings: NodeSettings, build: Callable[[], Served]) -> None:
    """Run until told to end, under locks that the caller holds. BadSetup where the port is taken."""
    check_port(settings.web.host, settings.web.port)
    NodeServer(settings, build).run()


def hold_folder(folder: Path) -> IO[str]:
    """The lock that says a process runs this node; inherited by the worker, freed by the kernel at its death."""
    lock = (folder / "run.lock").open("w")
    if not eventually(lambda: _locked(lock)):
        lock.close()
        raise BadSetup("web.running", f"Another process runs the node in {folder}.", todo="Stop it first.")
    return lock


def check_port(host: str, port: int) -> None:
    """Refuse a port somebody else listens on, in words, before gunicorn does in a stack trace."""
    if not eventually(lambda: _free(host, port)):
        raise BadSetup(
            "web.port_taken",
            f"Port {port} on {host} is taken by another process.",
            todo="Stop that process, or set another port under [web] in the settings file.",
        )


def _locked(lock: IO[str]) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _free(host: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def eventually(holds: Callable[[], bool]) -> bool:
    """Whether it comes to hold while a process before this one may still be on its way out."""
    end = time.monotonic() + PREDECESSOR_S
    while not holds():
        if time.monotonic() > end:
            return False
        time.sleep(0.1)
    return True
