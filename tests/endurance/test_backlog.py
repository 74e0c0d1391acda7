"""A plant with a backlog and the hub's real process: its worker dies of memory and comes back; it does not grow slower."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import pytest
from sqlalchemy import func, select

from drill.nodes import HubProcess, make_plant
from drill.work import PLANT, Work
from local_mes.plant import Plant
from local_mes.wiring import build_station
from shared.clock import SystemClock
from shared.db.engine import open_engine, read
from shared.journal.bulk import record_many
from shared.journal.content_hash import content_hash
from shared.journal.tables import applied, entry, fact
from sync.tables import position
from sync.transport import HttpTransport

CHUNK = 2_000
GROWTH = 1.3
"""What the resident memory of a worker may be above that of one which took a third as much."""


@dataclass
class Straight:
    """The line of a drill, without a switch."""

    url: str


@dataclass
class Pair:
    """A plant in this process and its hub in another one."""

    hub: HubProcess
    plant: Plant

    def record(self, count: int) -> None:
        drafts = Work(1, self.plant.clock).drafts()
        for at in range(0, count, CHUNK):
            with self.plant.journal.work() as tx:
                record_many(tx, list(islice(drafts, min(CHUNK, count - at))))

    def held(self) -> int:
        """What the hub said that it holds."""
        query = select(func.coalesce(func.sum(position.c.durable), 0)).where(position.c.stream == PLANT)
        with read(self.plant.node.engine) as conn:
            return int(conn.execute(query).scalar_one())

    def worker(self) -> int:
        master = self.hub._process.pid
        (pid,) = Path(f"/proc/{master}/task/{master}/children").read_text().split()
        return int(pid)

    def wait(self, done: Callable[[], bool], limit_s: float = 300) -> None:
        end = time.monotonic() + limit_s
        while not done():
            self.hub.check_alive()
            assert time.monotonic() < end, f"{self.held()} are there"
            time.sleep(0.01)

    def applied(self) -> int:
        engine = open_engine(self.hub.settings.database)
        with read(engine) as conn:
            count = conn.execute(select(func.count()).where(applied.c.author == PLANT)).scalar_one()
        engine.dispose()
        return int(count)


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    hub = HubProcess(tmp_path)
    plant = make_plant(tmp_path, hub, Straight(f"http://127.0.0.1:{hub.port}"), SystemClock())  # type: ignore[arg-type]
    yield Pair(hub, plant)
    hub.stop()
    plant.node.engine.dispose()
    plant.spool.dispose()


def peak_kib(pid: int) -> int:
    lines = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines() if ":" in line)
    return int(lines["VmHWM"].split()[0])


def total(pair: Pair) -> int:
    with read(pair.plant.node.engine) as conn:
        return int(conn.execute(select(func.count()).where(entry.c.stream == PLANT)).scalar_one())


@pytest.mark.fault(28)
@pytest.mark.timeout(600)
@pytest.mark.parametrize("facts", [2_000, pytest.param(200_000, marks=pytest.mark.slow)])
def test_a_hubs_worker_killed_for_its_memory_comes_back_and_needs_no_more_of_it(pair: Pair, facts: int) -> None:
    pair.record(facts)
    station = build_station(pair.plant, HttpTransport(f"http://127.0.0.1:{pair.hub.port}"))
    station.start()
    try:
        pair.wait(lambda: pair.held() >= facts // 4)
        first = pair.worker()
        before_kib = peak_kib(first)
        os.kill(first, signal.SIGKILL)  # as the kernel does; nothing at the hub hears of it before
        pair.wait(lambda: pair.held() == total(pair))
        pair.wait(lambda: pair.applied() >= facts)
        second = pair.worker()
    finally:
        station.stop()
    assert second != first
    assert peak_kib(second) < before_kib * GROWTH + (24 << 10), "three times as much was taken in with no more memory"
    engine = open_engine(pair.hub.settings.database)
    with read(engine) as there, read(pair.plant.node.engine) as here:
        mine = set(here.execute(select(fact.c.fact_id).where(fact.c.author == PLANT)).scalars())
        theirs = set(there.execute(select(fact.c.fact_id).where(fact.c.author == PLANT)).scalars())
        assert mine == theirs
        assert content_hash(there, PLANT) == content_hash(here, PLANT)
    engine.dispose()


@pytest.mark.fault(119)
@pytest.mark.timeout(7_200)
@pytest.mark.parametrize(
    ("facts", "slower"), [(4_000, 2.0), pytest.param(1_000_000, 1.25, marks=pytest.mark.slow)], ids=["short", "long"]
)
def test_a_backlog_goes_out_at_its_end_as_fast_as_at_its_start(pair: Pair, facts: int, slower: float) -> None:
    pair.record(facts)
    marks: dict[int, float] = {}
    station = build_station(pair.plant, HttpTransport(f"http://127.0.0.1:{pair.hub.port}"))
    station.start()
    try:
        for tenths in (1, 4, 7, 10):
            pair.wait(lambda tenths=tenths: pair.held() >= facts * tenths // 10, 7_000)
            marks[tenths] = time.monotonic()
    finally:
        station.stop()
    early, late = marks[4] - marks[1], marks[10] - marks[7]
    assert late <= early * slower + 1.0, f"the first part took {early:.1f} s, the last one {late:.1f} s"
