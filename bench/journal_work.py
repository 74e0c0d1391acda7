"""A plant's journal by itself, on SQLite: recording one fact a transaction (durable), proving the chain, making all rows
again. The reference in the same run is the plain insert of the same bytes, one durable transaction each.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Column, LargeBinary, MetaData, String, Table, func, insert, select

from bench.nodes import draft, make_node
from shared.db.engine import read, write
from shared.journal.apply import Appliers
from shared.journal.rebuild import rebuild
from shared.journal.tables import fact
from shared.journal.verify import verify
from shared.material import projection as material
from shared.node import Node
from sync.beginning import begin


@dataclass(frozen=True)
class JournalRun:
    """Facts a second."""

    reference: float
    recorded: float
    verified: float
    rebuilt: float


def measure_journal(folder: Path, code: str, facts: int) -> JournalRun:
    """One run on a fresh plant."""
    node = make_node(folder, code)
    begin(node)
    recorded = _rate(facts, lambda: _record(node, facts))
    with read(node.engine) as conn:
        held = conn.execute(select(func.count()).select_from(fact)).scalar_one()
        bodies = list(conn.execute(select(fact.c.fact_id, fact.c.body)).tuples())
        verified = _rate(held, lambda: verify(conn))
    return JournalRun(
        _rate(held, lambda: _plain(node, bodies)), recorded, verified, _rate(held, lambda: _rebuild(node))
    )


def _record(node: Node, facts: int) -> None:
    pieces: list[str] = []
    for n in range(facts):
        with node.journal.work() as tx:
            tx.record(draft(node, n, pieces))


def _plain(node: Node, bodies: list[tuple[str, bytes]]) -> None:
    table = Table("plain", MetaData(), Column("id", String(32), primary_key=True), Column("body", LargeBinary))
    table.create(node.engine)
    for key, body in bodies:
        with write(node.engine) as conn:
            conn.execute(insert(table), {"id": key, "body": body})
    table.drop(node.engine)


def _rebuild(node: Node) -> None:
    appliers = Appliers()
    material.register(appliers)
    with write(node.engine) as conn:
        rebuild(conn, appliers, node.clock.now_ms())


def _rate(things: int, work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return things / (time.perf_counter() - began)
