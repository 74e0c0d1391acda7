"""Plants with a line: how soon a fact is at the hub, what a commit costs with and without a hub, many plants at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, median, quantiles

from sqlalchemy import select

from bench.nodes import draft, fill, length, make_node, running_hub, shipping, wait_until
from shared.db.engine import read
from shared.journal.tables import applied
from shared.node import Node
from shared.ports import free_port
from sync.beginning import begin
from sync.transport import HttpTransport

LATENCY_FACTS = 100
COMMITS = 400
PAIRS = 5
PLANTS = 20
MANY_FACTS = 500


@dataclass(frozen=True)
class Online:
    """Milliseconds; ratio = commit p99 with the hub down to that with it up, the median of pairs."""

    latency_p50_ms: float
    latency_p95_ms: float
    commit_up_p99_ms: float
    commit_down_p99_ms: float
    commit_ratio: float


@dataclass(frozen=True)
class Many:
    """Facts a second of each plant until the hub held its backlog, when all came back at once."""

    mean: float
    slowest: float


def measure_online(folder: Path) -> Online:
    """One plant, one hub in its own process, both on SQLite."""
    plant = make_node(folder, "ALD")
    begin(plant)
    with running_hub(folder, "HUB", [plant], applies=True) as hub:
        with shipping(plant, HttpTransport(hub.url)):
            _latency_ms(plant, hub.node)  # the first one waits for the hello
            waits = [_latency_ms(plant, hub.node) for _ in range(LATENCY_FACTS)]
        pairs = [_pair(plant, hub.url) for _ in range(PAIRS)]
    up, down = zip(*pairs, strict=True)
    return Online(
        median(waits), _p(waits, 95), median(up), median(down), median(d / u for u, d in zip(up, down, strict=True))
    )


def measure_many(folder: Path) -> Many:
    """Twenty plants with a backlog each meet a hub that was away."""
    plants = [make_node(folder, f"P{n:02}") for n in range(PLANTS)]
    for plant in plants:
        fill(plant, MANY_FACTS)
    with running_hub(folder, "HUBM", plants) as hub:
        rates = dict(_rates(plants, hub.node, hub.url))
    return Many(mean(rates.values()), min(rates.values()))


def _rates(plants: list[Node], hub: Node, url: str) -> Iterator[tuple[str, float]]:
    found: dict[str, float] = {}

    def ship(plant: Node) -> None:
        with shipping(plant, HttpTransport(url)):
            seconds = wait_until(lambda: length(hub, plant.code) >= MANY_FACTS, what=plant.code, every_s=0.1)
        found[plant.code] = MANY_FACTS / seconds

    threads = [threading.Thread(target=ship, args=(plant,)) for plant in plants]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if len(found) != len(plants):
        raise TimeoutError(f"{len(plants) - len(found)} plants were not drained")
    yield from found.items()


def _pair(plant: Node, url: str) -> tuple[float, float]:
    """p99 of a commit in ms: with the hub there, and with nobody at its address."""
    outcomes = []
    for address in (url, f"http://127.0.0.1:{free_port()}"):
        with shipping(plant, HttpTransport(address)):
            outcomes.append(_p([_commit_ms(plant) for _ in range(COMMITS)], 99))
    return outcomes[0], outcomes[1]


def _commit_ms(plant: Node) -> float:
    began = time.perf_counter()
    _record(plant)
    return (time.perf_counter() - began) * 1000


def _latency_ms(plant: Node, hub: Node) -> float:
    fact_id = _record(plant)
    return wait_until(lambda: _reached(plant, hub, fact_id), what="a fact at the hub", every_s=0.004) * 1000


def _record(plant: Node) -> str:
    with plant.journal.work() as tx:
        return tx.record(draft(plant, 0, []))[0]


def _reached(plant: Node, hub: Node, fact_id: str) -> bool:
    with read(hub.engine) as conn:
        found = conn.execute(
            select(applied.c.fact_id).where(applied.c.author == plant.code, applied.c.fact_id == fact_id)
        )
        return found.first() is not None


def _p(values: list[float], percent: int) -> float:
    return quantiles(values, n=100)[percent - 1]
