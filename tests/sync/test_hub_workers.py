"""A hub as several processes on one PostgreSQL: a plant reaches any of them, one leads, and where it dies another does."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from sqlalchemy import select

from central_hub.wiring import init_hub
from shared.db.engine import read
from shared.errors import BadSetup
from shared.journal.content_hash import content_hash
from shared.journal.verify import verify
from shared.ports import free_ports
from shared.settings import HubSettings, load
from shared.web.server import hold_folder
from sync.errors import Unreachable
from sync.tables import lease
from sync.transport import HttpTransport

WORKERS = 3
PATIENCE_S = 240.0


@dataclass
class Hub:
    """Workers of one hub, each a process with a port of its own."""

    folder: Path
    url: str
    ports: list[int]
    running: dict[int, subprocess.Popen[bytes]] = field(default_factory=dict)

    def config(self, worker: int) -> Path:
        """Free ports do not follow each other: each worker has a file that names its own."""
        file = self.folder / f"worker-{worker}.toml"
        file.write_text(
            f'code = "HUB"\nname = "Group"\nfolder = "{self.folder / "hub"}"\ndatabase_url = "{self.url}"\n'
            f"[web]\nport = {self.ports[worker] - worker}\nthreads = 16\n[sync]\nheartbeat_s = 1\n"
        )
        return file

    def start(self, worker: int) -> None:
        command = [
            str(Path(sys.executable).with_name("strandline")),
            "hub",
            "run",
            "--config",
            str(self.config(worker)),
        ]
        with (self.folder / f"{worker}.log").open("ab") as log:
            self.running[worker] = subprocess.Popen(
                [*command, "--worker", str(worker)], stdout=log, stderr=log, start_new_session=True
            )

    def ready(self, worker: int) -> bool:
        assert self.running[worker].poll() is None, (self.folder / f"{worker}.log").read_text()
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.ports[worker]}/health/ready", timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def kill(self, worker: int) -> None:
        """The worker and its master at once, as a machine dies."""
        process = self.running.pop(worker)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def leader(self, conn) -> int | None:
        """The worker whose process holds the lease."""
        holder = conn.execute(select(lease.c.holder).where(lease.c.name == "apply")).scalar()
        if holder is None:
            return None
        pid = int(holder.partition("-")[0])
        groups = {process.pid: worker for worker, process in self.running.items()}
        try:
            return groups.get(os.getpgid(pid))
        except ProcessLookupError:
            return None


class AnyWorker:
    """A proxy that gives each call to the next worker, and to the one after it where that does not answer."""

    def __init__(self, ports: list[int]) -> None:
        self._ways = [HttpTransport(f"http://127.0.0.1:{port}", connect_s=2, read_s=20) for port in ports]
        self._turn = itertools.count()

    def send(self, door, body):
        turn = next(self._turn)
        for n in range(len(self._ways)):
            try:
                return self._ways[(turn + n) % len(self._ways)].send(door, body)
            except Unreachable:
                if n == len(self._ways) - 1:
                    raise
        raise AssertionError("no way")


def until(condition, what=""):
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.1)


@pytest.fixture
def hub(tmp_path, postgres_url):
    made = Hub(tmp_path, postgres_url, free_ports(WORKERS))
    yield made
    for worker in list(made.running):
        made.kill(worker)


@pytest.mark.slow
@pytest.mark.postgres
def test_any_worker_takes_what_a_plant_sends_and_where_the_leader_dies_another_leads(kit, hub):
    settings = load(HubSettings, hub.config(0))
    here = init_hub(settings)
    plant = kit.plant()
    kit.enrol(plant, here)
    for worker in range(WORKERS):
        hub.start(worker)
    until(lambda: all(hub.ready(worker) for worker in range(WORKERS)), "not all workers are ready")
    with pytest.raises(BadSetup):
        hold_folder(settings.folder)
    exchange = kit.exchange(plant, AnyWorker(hub.ports))
    exchange.start()
    plant.create(20)
    until(lambda: same(here, plant), "the hub does not follow")
    led = set()
    for _ in range(2):
        plant.create(5)
        with read(here.node.engine) as conn:
            first = hub.leader(conn)
        assert first is not None
        led.add(first)
        hub.kill(first)
        plant.create(20)
        until(lambda: same(here, plant), "nobody leads any more")
        with read(here.node.engine) as conn:
            assert hub.leader(conn) not in (None, first)
        hub.start(first)
        until(lambda n=first: hub.ready(n), "it does not come back")
    plant.create(5)
    until(lambda: same(here, plant), "the hub does not follow")
    exchange.stop()
    with read(here.node.engine) as conn:
        assert verify(conn).findings == ()
    here.node.engine.dispose()


def same(here, plant) -> bool:
    """Whether the hub has the plant's rows."""
    with read(here.node.engine) as conn:
        return content_hash(conn, plant.code) == plant.hash_of(plant.code)


def test_a_hub_on_sqlite_is_one_process(tmp_path):
    from central_hub.wsgi import serve

    settings = HubSettings(code="HUB", name="Group", folder=tmp_path / "hub")
    init_hub(settings).node.engine.dispose()
    with pytest.raises(BadSetup, match="one process"):
        serve(settings, 1)
