"""A plant's process and a hub's process in two network namespaces, a cable between them: a hole in it, a narrow cable.

Needs root and iproute2; the delay and loss of netem are not in every kernel, so the narrow cable is a token bucket.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from shared.db.engine import read
from shared.journal.verify import verify
from sync.link import ONLINE, report_link

PROGRAM = Path(__file__).parents[1] / "node_process.py"
ROOT = Path(__file__).parents[3]
HUB_ADDRESS, PLANT_ADDRESS, PORT = "10.231.77.1", "10.231.77.2", 8700
CONNECT_S = 5
"""A connection that is not answered is given up after so long (settings: sync.connect_timeout_s)."""
RATE_BIT_S = 256_000


def run(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@dataclass
class Cable:
    """Two namespaces with one address each, and what runs in them."""

    hub_space: str = f"slh{os.getpid()}"
    plant_space: str = f"slp{os.getpid()}"
    processes: list[subprocess.Popen[str]] = field(default_factory=list)
    lines: dict[str, list[str]] = field(default_factory=dict)

    def lay(self) -> None:
        for space in (self.hub_space, self.plant_space):
            run("ip", "netns", "add", space)
            run("ip", "-n", space, "link", "set", "lo", "up")
        ends = ((self.hub_space, "slhub", HUB_ADDRESS), (self.plant_space, "slplant", PLANT_ADDRESS))
        run("ip", "-n", self.hub_space, "link", "add", "slhub", "type", "veth", "peer", "name", "slplant")
        run("ip", "-n", self.hub_space, "link", "set", "slplant", "netns", self.plant_space)
        for space, device, address in ends:
            run("ip", "-n", space, "addr", "add", f"{address}/24", "dev", device)
            run("ip", "-n", space, "link", "set", device, "up")

    def take_up(self) -> None:
        for process in self.processes:
            process.kill()
            process.wait(10)
        for space in (self.hub_space, self.plant_space):
            with suppress(subprocess.CalledProcessError):
                run("ip", "netns", "del", space)

    def start(self, role: str, folder: Path) -> None:
        space = self.hub_space if role == "hub" else self.plant_space
        program = [sys.executable, str(PROGRAM), role, str(folder), str(PORT), HUB_ADDRESS]
        process = subprocess.Popen(
            ["ip", "netns", "exec", space, *program],
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env={"PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"]},
        )
        self.processes.append(process)
        told = self.lines.setdefault(role, [])
        threading.Thread(target=lambda: told.extend(x.strip() for x in process.stdout or ()), daemon=True).start()

    def drop_silently(self) -> None:
        """The hub's answers go nowhere and nobody is told: neither reset nor 'unreachable' comes to the plant."""
        run("ip", "-n", self.hub_space, "route", "add", "blackhole", f"{PLANT_ADDRESS}/32")

    def pass_again(self) -> None:
        run("ip", "-n", self.hub_space, "route", "del", "blackhole", f"{PLANT_ADDRESS}/32")

    def narrow(self) -> None:
        """What leaves the plant trickles; pytest.skip where the kernel has no token bucket."""
        bucket = ("rate", f"{RATE_BIT_S}bit", "burst", "8kb", "latency", "2s")
        try:
            run("tc", "-n", self.plant_space, "qdisc", "add", "dev", "slplant", "root", "tbf", *bucket)
        except (subprocess.CalledProcessError, FileNotFoundError) as error:
            pytest.skip(f"this kernel has no token bucket filter: {getattr(error, 'stderr', error)}")

    def sent_bytes(self) -> int:
        counter = "/sys/class/net/slplant/statistics/tx_bytes"
        return int(run("ip", "netns", "exec", self.plant_space, "cat", counter))


@pytest.fixture
def cable() -> Iterator[Cable]:
    if os.geteuid() != 0:
        pytest.skip("network namespaces need root")
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    if shutil.which("ip") is None:
        pytest.skip("needs iproute2 (apt-get install iproute2)")
    made = Cable()
    try:
        made.lay()
    except subprocess.CalledProcessError as error:
        made.take_up()
        pytest.skip(f"no network namespaces here: {error.stderr.strip()}")
    yield made
    made.take_up()


@dataclass
class Nodes:
    """Both nodes' databases, read from here while their processes run."""

    kit: Any
    hub: Any
    plant: Any
    cable: Cable

    def until(self, done: Callable[[], bool], limit_s: float = 60) -> float:
        began = time.monotonic()
        while not done():
            assert all(process.poll() is None for process in self.cable.processes), "a node ended by itself"
            assert time.monotonic() - began < limit_s, f"{self.held()} of {self.plant.entries_of('ALD')}"
            time.sleep(0.02)
        return time.monotonic() - began

    def held(self) -> int:
        return int(self.hub.entries_of("ALD"))

    def state(self) -> Any:
        with read(self.plant.node.engine) as conn:
            return report_link(conn, "ALD", "HUB")

    def recorded(self) -> int:
        return len(self.cable.lines["plant"])

    def rate(self, seconds: float) -> float:
        """Facts a second that the plant commits just now."""
        before, began = self.recorded(), time.monotonic()
        time.sleep(seconds)
        return (self.recorded() - before) / (time.monotonic() - began)

    def end_equal(self) -> None:
        self.cable.processes[-1].kill()  # the plant: what it recorded is what there is
        self.cable.processes[-1].wait(10)
        told = {line for line in self.cable.lines["plant"] if len(line) == 32}
        assert len(told) > 0
        self.kit.drain(self.kit.caller(self.plant, self.kit.memory(self.hub)))
        self.hub.apply()
        assert self.hub.hash_of("ALD") == self.plant.hash_of("ALD")
        assert self.hub.applied_of("ALD") >= len(told)
        with read(self.hub.node.engine) as conn:
            assert verify(conn).findings == ()


@pytest.fixture
def nodes(kit: Any, cable: Cable) -> Nodes:
    made = Nodes(kit, kit.hub(), kit.plant(), cable)
    kit.enrol(made.plant, made.hub)
    cable.start("hub", kit.folder)
    made.until(lambda: "serving" in cable.lines["hub"])
    return made


@pytest.mark.fault(9)
def test_a_black_hole_stops_no_work_and_heals(nodes: Nodes) -> None:
    nodes.cable.start("plant", nodes.kit.folder)
    nodes.until(lambda: nodes.held() > 30 and nodes.state().state == ONLINE)
    before = nodes.rate(1.0)
    nodes.cable.drop_silently()
    nodes.until(lambda: nodes.state().state != ONLINE, CONNECT_S + 30)
    reached, level = nodes.recorded(), nodes.held()
    assert nodes.rate(2.0) > before / 3, "the plant records on, whatever the line does"
    assert nodes.held() <= level + 20, "nothing passes the hole but what was on its way"
    assert nodes.recorded() > reached
    assert nodes.state().waiting > 0
    nodes.cable.pass_again()
    nodes.until(lambda: nodes.held() >= reached and nodes.state().state == ONLINE)
    nodes.end_equal()


@pytest.mark.fault(8)
def test_over_a_narrow_cable_everything_arrives_and_work_goes_on(nodes: Nodes) -> None:
    nodes.plant.create(600)  # a backlog that takes seconds at this rate
    nodes.cable.narrow()
    sent, began = nodes.cable.sent_bytes(), time.monotonic()
    nodes.cable.start("plant", nodes.kit.folder)
    marks = []
    while len(marks) < 20:
        time.sleep(0.2)
        marks.append(nodes.held())
    rate = (nodes.cable.sent_bytes() - sent) * 8 / (time.monotonic() - began)
    assert rate < RATE_BIT_S * 1.5, "the cable is as narrow as it is said to be"
    assert marks == sorted(marks)
    nodes.until(lambda: nodes.held() >= 600, 90)
    assert nodes.recorded() > 50, "the plant records meanwhile"
    nodes.end_equal()
