"""Pieces made under a version after it was withdrawn: a plant that was away could not know."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, select

from shared.material.tables import edge, material, operation
from shared.quality.tables import decision
from shared.standards.queries import equipment_of, list_history

PIECES_MAX = 1_000
"""Pieces on one page; more than a day of a plant that heard of nothing, and the list says that it is cut."""
OUTCOMES = ("pass", "hold", "mark", "case", "pending")


@dataclass(frozen=True)
class MadeAfter:
    """A piece: where and when it was made or judged under the version, and what its plants know of it now."""

    plant: str
    material_id: str
    number: str
    at_ms: int
    how: str
    now: tuple[str, ...]


def list_made_after(conn: Connection, standard_id: str, version: int, withdrawn_ms: int) -> list[MadeAfter]:
    """By plant and time, each piece once; only plants that ran the version beyond its withdrawal are looked at."""
    found: dict[tuple[str, str], tuple[int, str]] = {}
    for adopted in list_history(conn, standard_id):
        if adopted.version != version or (adopted.until_ms is not None and adopted.until_ms <= withdrawn_ms):
            continue
        for material_id, at_ms, how in _made(conn, adopted.plant, standard_id, version, withdrawn_ms):
            found.setdefault((adopted.plant, material_id), (at_ms, how))
            if len(found) >= PIECES_MAX:
                break
    return [
        _piece(conn, plant, material_id, *said)
        for (plant, material_id), said in sorted(found.items(), key=lambda item: (item[0][0], item[1][0]))
    ]


def _made(conn: Connection, plant: str, standard_id: str, version: int, since: int) -> Iterator[tuple[str, int, str]]:
    for unit in sorted(equipment_of(conn, plant)):
        made = (
            select(edge.c.child_id, operation.c.ended_at_ms, operation.c.operation)
            .join_from(operation, edge, (edge.c.author == operation.c.author) & _same_operation())
            .where(operation.c.author == plant, operation.c.unit == unit, operation.c.ended_at_ms > since)
            .where(operation.c.standard_id == standard_id, operation.c.standard_version == version)
            .order_by(operation.c.ended_at_ms)
            .limit(PIECES_MAX)
        )
        yield from ((row[0], row[1], f"{row[2].replace('_', ' ')} at {unit}") for row in conn.execute(made))
    for outcome in OUTCOMES:
        judged = (
            select(decision.c.material_id, decision.c.decided_at_ms)
            .where(decision.c.author == plant, decision.c.outcome == outcome, decision.c.decided_at_ms > since)
            .where(decision.c.rule_id == standard_id, decision.c.rule_version == version)
            .order_by(decision.c.decided_at_ms)
            .limit(PIECES_MAX)
        )
        yield from ((row[0], row[1], f"judged: {outcome}") for row in conn.execute(judged))


def _same_operation() -> Any:
    return edge.c.operation_id == operation.c.operation_id


def _piece(conn: Connection, plant: str, material_id: str, at_ms: int, how: str) -> MadeAfter:
    rows: list[Row[Any]] = list(
        conn.execute(select(material).where(material.c.material_id == material_id).order_by(material.c.born_at_ms))
    )
    number = next((row.number for row in rows if row.author == plant and row.number), "")
    now = tuple(f"{row.author}: {row.state.replace('_', ' ')}" for row in rows)
    return MadeAfter(plant, material_id, number, at_ms, how, now)
