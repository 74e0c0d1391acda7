"""kill -9 of a real plant process and of a real hub process in mid-work: what was committed arrives once, as it was."""

from __future__ import annotations

import random
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from sqlalchemy import select

from shared.db.engine import read
from shared.journal.tables import fact
from shared.journal.verify import verify
from shared.ports import free_port

PROGRAM = Path(__file__).parent / "node_process.py"
ROOT = Path(__file__).parents[2]


class Child:
    """A node process whose printed lines are kept: a line was committed before it was printed."""

    def __init__(self, role, folder, port):
        self.lines = []
        self.process = subprocess.Popen(
            [sys.executable, str(PROGRAM), role, str(folder), str(port)],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            cwd=ROOT,
            env={"PYTHONPATH": str(ROOT)},
        )
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            if line.endswith("\n") and " " not in line.strip():
                self.lines.append(line.strip())

    def wait_for_lines(self, count):
        end = time.monotonic() + 60
        while len(self.lines) < count:
            assert time.monotonic() < end
            assert self.process.poll() is None, "the process ended by itself"
            time.sleep(0.01)

    def kill(self):
        self.process.kill()
        self.process.wait(10)


def until(condition):
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def converged(kit, folder_hub, plant):
    kit.drain_after_a_death(kit.caller(plant, kit.memory(folder_hub)))
    folder_hub.apply()
    return folder_hub.hash_of("ALD") == plant.hash_of("ALD")


def facts_of(box):
    with read(box.node.engine) as conn:
        assert verify(conn).findings == ()
        return set(conn.execute(select(fact.c.fact_id).where(fact.c.author == "ALD")).scalars())


def test_plant_killed_again_and_again(kit):
    hub, plant = kit.hub(), kit.plant()
    kit.enrol(plant, hub)
    port = kit.serve(hub).server.server_port
    rng, acknowledged = random.Random(1), []
    for _ in range(5):
        before = hub.entries_of("ALD")
        child = Child("plant", kit.folder, port)
        until(lambda before=before: hub.entries_of("ALD") > before + 5)
        time.sleep(rng.random() * 0.4)
        child.kill()
        acknowledged += child.lines
    plant = kit.plant()
    assert converged(kit, hub, plant)
    assert set(acknowledged) <= facts_of(plant) == facts_of(hub)
    assert hub.applied_of("ALD") == len(facts_of(plant))


def test_hub_killed_again_and_again_while_a_plant_works(kit):
    hub, plant = kit.hub(), kit.plant()
    kit.enrol(plant, hub)
    port, rng = free_port(), random.Random(2)
    worker = Child("plant", kit.folder, port)
    worker.wait_for_lines(5)
    for _ in range(5):
        child = Child("hub", kit.folder, port)
        child.wait_for_lines(1)
        time.sleep(0.1 + rng.random() * 0.5)
        child.kill()
    worker.kill()
    hub, plant = kit.hub(), kit.plant()
    assert hub.entries_of("ALD") > 0
    assert converged(kit, hub, plant)
    assert set(worker.lines) <= facts_of(plant) == facts_of(hub)


@pytest.mark.fault(27)
def test_two_shippers_by_mistake_only_one_works_and_the_other_takes_over(kit):
    hub, plant = kit.hub(), kit.plant()
    kit.enrol(plant, hub)
    port = kit.serve(hub).server.server_port
    first = Child("plant", kit.folder, port)
    first.wait_for_lines(3)
    second = Child("plant", kit.folder, port)
    second.wait_for_lines(3)
    until(lambda: hub.entries_of("ALD") >= 50)
    from sync.tables import lease

    def holder():
        with read(plant.node.engine) as conn:
            return conn.execute(select(lease.c.holder).where(lease.c.name == "ship:HUB")).scalar_one()

    assert holder().startswith(f"{first.process.pid}-")
    first.kill()
    until(lambda: holder().startswith(f"{second.process.pid}-"))
    second.kill()
    plant = kit.plant()
    assert converged(kit, hub, plant)
    assert set(first.lines + second.lines) <= facts_of(hub)
