"""Shipping a backlog: a plant on SQLite that was offline meets its hub over HTTP, in another process of this machine.

The plant runs its real exchange, the hub is served as in production. Received means durable at the hub, signature and
chain verified. The reference in the same run: PostgreSQL logical replication of the same rows (bench/replication.py),
once directly and once over the same narrow line.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from sqlalchemy import create_engine, func, select, text

from bench.day_facts import FACTS_A_COIL, day_facts
from bench.filling import fill_journal
from bench.narrow_line import narrow_line
from bench.nodes import (
    Counted,
    RunningHub,
    applied_count,
    fill,
    length,
    make_node,
    running_hub,
    shipping,
    wait_for_receipts,
    wait_until,
)
from bench.replication import Pair, measure_replication, two_clusters
from shared.db.engine import read
from shared.journal.tables import fact
from shared.node import Node
from sync.station import make_ground
from sync.transport import HttpTransport
from tools.postgres import find_programs, temporary_cluster

NARROW_BITS_A_SECOND = 4e6
NARROW_ROUND_TRIP_S = 0.05
NARROW_PART = 10
"""Over the narrow line goes a tenth of the backlog: the reference takes ten times as long there."""


@dataclass(frozen=True)
class Run:
    """One run's figures: facts a second, bytes on the wire a fact; 0 = not measured in this run.

    applied   what was received before, nobody sending       together   from the first push to the last fact applied
    """

    shipped: float
    wire_bytes: float
    applied: float = 0.0
    reference: float = 0.0
    together: float = 0.0


def measure_backlog(folder: Path, facts: int, runs: int) -> Iterator[tuple[str, list[Run]]]:
    """(what, runs): the hub on SQLite, on PostgreSQL, and on PostgreSQL over a narrow line."""
    plant = backlog(folder, "ALD", facts)
    yield "hub on SQLite", [_ship_and_apply(plant, folder, f"HUB{n}", "") for n in range(runs)]
    programs = find_programs()
    if programs is None:
        return
    small = backlog(folder, "BRK", max(1_000, facts // NARROW_PART))
    with temporary_cluster(programs, fsync=True) as url, two_clusters(programs) as pair:
        yield "hub on PostgreSQL", [_beside(plant, folder, url, pair, n) for n in range(runs)]
        far = [_far(small, folder, database(url, f"far{n}"), pair, n) for n in range(runs)]
        yield "hub on PostgreSQL, 4 Mbit/s and 50 ms", far


def backlog(folder: Path, code: str, facts: int) -> Node:
    """A plant with so many facts and no line yet."""
    plant = make_node(folder, code)
    fill(plant, facts)
    return plant


def _ship_and_apply(plant: Node, folder: Path, code: str, database_url: str) -> Run:
    with running_hub(folder, code, [plant], database_url) as hub:
        rate, wire = _ship(plant, hub, hub.port)
        began = time.perf_counter()
        applied = make_ground(hub.node, 2_000).applying.apply_all()
        return Run(rate, wire, applied / (time.perf_counter() - began))


def measure_wire(folder: Path, facts: int) -> tuple[float, float]:
    """(bytes on the wire a fact, its own bytes), seals and all, of facts as a mill writes them."""
    plant = make_node(folder, "WIRE")
    fill_journal(plant, day_facts(plant, facts // FACTS_A_COIL))
    with read(plant.engine) as conn:
        own = conn.execute(select(func.avg(func.length(fact.c.body)))).scalar_one()
    with running_hub(folder, "HUBW", [plant]) as hub:
        return _ship(plant, hub, hub.port)[1], float(own)


def measure_shipping(plant: Node, folder: Path, server: str, n: int) -> float:
    """Facts a second to a hub on a fresh database of that PostgreSQL server."""
    with running_hub(folder, f"ONLY{n}", [plant], database(server, f"only{n}")) as hub:
        return _ship(plant, hub, hub.port)[0]


def _beside(plant: Node, folder: Path, server: str, pair: Pair, n: int) -> Run:
    database_url = database(server, f"run{n}")
    run = _ship_and_apply(plant, folder, f"PG{n}", database_url)
    together = _together(plant, folder, f"TOG{n}", database(server, f"together{n}"))
    return replace(run, reference=measure_replication(pair, plant, f"direct{n}"), together=together)


def _together(plant: Node, folder: Path, code: str, database_url: str) -> float:
    """The hub applies while the plant, on the same cores, still sends."""
    count = length(plant, plant.code)
    with (
        running_hub(folder, code, [plant], database_url, applies=True) as hub,
        shipping(plant, HttpTransport(f"http://127.0.0.1:{hub.port}")),
    ):
        applied = partial(applied_count, hub.node, plant.code)
        return count / wait_until(lambda: applied() >= count, what="the last fact applied", every_s=0.1)


def _far(plant: Node, folder: Path, database_url: str, pair: Pair, n: int) -> Run:
    with running_hub(folder, f"FAR{n}", [plant], database_url) as hub, _narrow(hub.port) as port:
        rate, wire = _ship(plant, hub, port)
    with _narrow(pair.publisher_port) as port:
        return Run(rate, wire, reference=measure_replication(pair, plant, f"far{n}", port))


def _narrow(port: int) -> AbstractContextManager[int]:
    return narrow_line(port, NARROW_BITS_A_SECOND, NARROW_ROUND_TRIP_S)


def _ship(plant: Node, hub: RunningHub, port: int) -> tuple[float, float]:
    """(facts a second, bytes a fact)."""
    count = length(plant, plant.code)
    way = Counted(HttpTransport(f"http://127.0.0.1:{port}"))
    with shipping(plant, way):
        seconds = wait_for_receipts(plant, hub.node, count)
    if length(hub.node, plant.code) != count:
        raise AssertionError(f"The receipts say {count}, the hub holds {length(hub.node, plant.code)}.")
    return count / seconds, way.sent / count


def database(url: str, name: str) -> str:
    """A fresh database on that server."""
    admin = create_engine(url, isolation_level="AUTOCOMMIT")
    with admin.connect() as conn:
        conn.execute(text(f"CREATE DATABASE {name}"))
    admin.dispose()
    return url.replace("@/postgres?", f"@/{name}?")


def plain(url: str) -> str:
    """The address of a database as the bare driver takes it."""
    return url.replace("postgresql+psycopg://", "postgresql://")
