"""Many plants at one hub for long, with a fault a moment: nothing lost, nothing twice, the hub's memory flat.

The short form is seconds with a fault each half second; the long one is half an hour, `STRANDLINE_SOAK_MINUTES=1440`
makes it the day of the catalogue.
"""

from __future__ import annotations

import os
import random
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import fault_proxy as faults
import pytest

from shared.db.engine import read
from shared.journal.verify import verify
from sync.tables import incident
from sync.transport import HttpTransport

LONG_MINUTES = float(os.environ.get("STRANDLINE_SOAK_MINUTES", "30"))
WIRE = (
    faults.lose_request,
    faults.lose_answer,
    faults.half_close,
    faults.deliver_twice,
    faults.cut_at(700),
    faults.captive("<html>pay first</html>"),
)


@dataclass
class Soak:
    """One hub, its plants behind a bad line each, and who records."""

    kit: Any
    dice: random.Random
    plants: list[Any] = field(default_factory=list)
    proxies: list[Any] = field(default_factory=list)
    exchanges: list[Any] = field(default_factory=list)
    faults: int = 0

    def __post_init__(self) -> None:
        self.hub = self.kit.hub()
        self.server = self.kit.serve(self.hub)
        self.stopping = threading.Event()

    def add(self, code: str) -> None:
        plant = self.kit.plant(code)
        self.kit.enrol(plant, self.hub)
        self.plants.append(plant)
        self.proxies.append(faults.FaultProxy(self.server.server.server_port))
        self.exchanges.append(None)
        self.start(len(self.plants) - 1)

    def start(self, at: int) -> None:
        """A new exchange of a plant, as after a restart of its process."""
        transport = HttpTransport(self.proxies[at].url, connect_s=2, read_s=5)
        self.exchanges[at] = self.kit.exchange(self.plants[at], transport)
        self.exchanges[at].start()

    def strike(self) -> None:
        """One fault of the moment; the one of before is over."""
        self.faults += 1
        for proxy in self.proxies:
            proxy.heal()
            proxy.flap(down=False)
        at = self.dice.randrange(len(self.plants))
        kind = self.dice.randrange(8)
        if kind < 5:
            self.proxies[at].faults[self.dice.choice(("hello", "push", "pull"))] = self.dice.choice(WIRE)
        elif kind == 5:
            self.proxies[at].flap(down=True)
        elif kind == 6:
            self.exchanges[at].stop()
            self.start(at)
        else:
            self.server.stop()
            self.server = self.kit.serve(self.hub, self.server.server.server_port)

    def work(self, seconds: float, every_s: float) -> None:
        end, next_fault = time.monotonic() + seconds, time.monotonic()
        while time.monotonic() < end:
            plant = self.dice.choice(self.plants)
            plant.create(self.dice.randint(1, 3))
            if time.monotonic() >= next_fault:
                next_fault += every_s
                self.strike()
            time.sleep(0.05)

    def settles(self) -> None:
        for proxy in self.proxies:
            proxy.heal()
            proxy.flap(down=False)
        end = time.monotonic() + 120
        for plant, exchange in zip(self.plants, self.exchanges, strict=True):
            while self.hub.entries_of(plant.code) < plant.entries_of(plant.code):
                assert time.monotonic() < end, f"{plant.code} did not drain"
                exchange.sync_now()
                time.sleep(0.05)
        self.hub.apply()


def resident_kib() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") // 1024


@pytest.fixture
def soak(kit: Any) -> Any:
    made = Soak(kit, random.Random(118))
    yield made
    for proxy in made.proxies:
        proxy.close()


@pytest.mark.fault(118)
@pytest.mark.timeout(100_000)
@pytest.mark.parametrize(
    ("plants", "seconds", "every_s"),
    [(4, 6.0, 0.5), pytest.param(20, LONG_MINUTES * 60, 5.0, marks=pytest.mark.slow)],
    ids=["short", "long"],
)
def test_plants_and_hub_under_fault_after_fault_lose_nothing(
    soak: Soak, plants: int, seconds: float, every_s: float
) -> None:
    for number in range(plants):
        soak.add(f"P{number:02}")
    soak.work(seconds / 3, every_s)
    before_kib = resident_kib()
    soak.work(seconds * 2 / 3, every_s)
    after_kib = resident_kib()
    soak.settles()
    assert soak.faults >= seconds / every_s * 0.5
    for plant in soak.plants:
        assert soak.hub.hash_of(plant.code) == plant.hash_of(plant.code)
        assert soak.hub.applied_of(plant.code) == plant.count()
    with read(soak.hub.node.engine) as conn:
        assert verify(conn).findings == ()
        assert conn.execute(incident.select().where(incident.c.level == "alarm")).all() == []
    if seconds > 600:  # in a minute, memory is still being taken for the first time
        assert after_kib <= before_kib * 1.05
