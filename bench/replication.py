"""The reference for shipping: PostgreSQL logical replication of the same rows between two local clusters.

The publisher holds the rows already; timed is the catch-up of a subscription whose slot was made before them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, select, text
from sqlalchemy.schema import CreateIndex, CreateTable

from bench.nodes import wait_until
from shared.db.bulk import insert_all
from shared.db.engine import read
from shared.journal.tables import entry, fact
from shared.node import Node
from shared.ports import free_port
from tools.postgres import temporary_cluster

ROWS_A_TRANSACTION = 1_000
TABLES = (fact, entry)


@dataclass(frozen=True)
class Pair:
    """Two clusters; `publisher_port` is where the subscriber finds the first."""

    publisher: Engine
    subscriber: Engine
    publisher_port: int


@contextmanager
def two_clusters(programs: Path) -> Iterator[Pair]:
    """A publisher with logical decoding and a subscriber, both durable."""
    port = free_port()
    with (
        temporary_cluster(programs, fsync=True, port=port, wal_level="logical") as one,
        temporary_cluster(programs, fsync=True) as two,
    ):
        engines = [create_engine(url, isolation_level="AUTOCOMMIT") for url in (one, two)]
        try:
            yield Pair(engines[0], engines[1], port)
        finally:
            for engine in engines:
                engine.dispose()


def measure_replication(pair: Pair, plant: Node, name: str, through_port: int = 0) -> float:
    """Facts a second of the plant's journal, with its entries, replicated; through a proxy's port where one is given."""
    rows = [_rows(plant, table) for table in TABLES]
    for engine in (pair.publisher, pair.subscriber):
        with engine.connect() as conn:
            _make_tables(conn)
    with pair.publisher.connect() as conn:
        conn.execute(text(f"CREATE PUBLICATION {name} FOR TABLE fact, entry"))
        conn.execute(text("SELECT pg_create_logical_replication_slot(:name, 'pgoutput')"), {"name": name})
    _load(pair.publisher, rows)
    address = f"host=127.0.0.1 port={through_port or pair.publisher_port} user=strandline dbname=postgres"
    with pair.subscriber.connect() as conn:
        conn.execute(
            text(
                f"CREATE SUBSCRIPTION {name} CONNECTION '{address}' PUBLICATION {name}"
                f" WITH (create_slot = false, slot_name = '{name}', copy_data = false, enabled = true)"
            )
        )
        seconds = wait_until(lambda: _count(conn) >= len(rows[1]), what="replication", every_s=0.02)
        conn.execute(text(f"DROP SUBSCRIPTION {name}"))
    with pair.publisher.connect() as conn:
        conn.execute(text(f"DROP PUBLICATION {name}"))
    return len(rows[1]) / seconds


def _make_tables(conn: Connection) -> None:
    for table in reversed(TABLES):
        conn.execute(text(f"DROP TABLE IF EXISTS {table.name}"))
    for table in TABLES:
        conn.execute(CreateTable(table))
        for index in sorted(table.indexes, key=lambda i: str(i.name)):
            conn.execute(CreateIndex(index))


def _load(publisher: Engine, rows: list[list[dict[str, Any]]]) -> None:
    engine = publisher.execution_options(isolation_level="READ COMMITTED")
    for at in range(0, len(rows[0]), ROWS_A_TRANSACTION):
        with engine.begin() as conn:
            for table, all_rows in zip(TABLES, rows, strict=True):
                insert_all(conn, table, all_rows[at : at + ROWS_A_TRANSACTION])


def _rows(plant: Node, table: Any) -> list[dict[str, Any]]:
    with read(plant.engine) as conn:
        return [dict(row) for row in conn.execute(select(table)).mappings()]


def _count(conn: Connection) -> int:
    count: int = conn.execute(text("SELECT count(*) FROM entry")).scalar_one()
    return count
