"""A hub on a port, a plant that reaches it through the fault proxy."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from fault_proxy import FaultProxy

from sync.transport import HttpTransport

WAIT_S = 30


@dataclass
class Line:
    """Plant, hub, and the proxy between them."""

    kit: Any
    plant: Any
    hub: Any
    proxy: FaultProxy

    def caller(self, read_s: float = 20) -> Any:
        return self.kit.caller(self.plant, HttpTransport(self.proxy.url, connect_s=2, read_s=read_s))

    def exchange(self, read_s: float = 20) -> Any:
        made = self.kit.exchange(self.plant, HttpTransport(self.proxy.url, connect_s=2, read_s=read_s))
        made.start()
        return made

    def held(self) -> int:
        """Entries of the plant that are durable at the hub."""
        return int(self.hub.entries_of("ALD"))

    def settles(self) -> None:
        """Without faults everything arrives, and becomes the same rows."""
        self.proxy.heal()
        wanted = self.plant.entries_of("ALD")
        self.until(lambda: self.held() == wanted)
        self.hub.apply()
        assert self.hub.hash_of("ALD") == self.plant.hash_of("ALD")
        assert self.hub.applied_of("ALD") == wanted

    @staticmethod
    def until(condition: Callable[[], bool]) -> None:
        end = time.monotonic() + WAIT_S
        while not condition():
            assert time.monotonic() < end, "waited in vain"
            time.sleep(0.02)


@pytest.fixture
def line(kit: Any) -> Iterator[Line]:
    hub, plant = kit.hub(), kit.plant()
    kit.enrol(plant, hub)
    proxy = FaultProxy(kit.serve(hub).server.server_port)
    yield Line(kit, plant, hub, proxy)
    proxy.close()
