"""Reads of the landing pages that no subject has by itself: small, bounded, from the projected rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, and_, func, select

from shared.material.queries import find_by_number
from shared.material.tables import deviation_raised, edge, material, operation
from shared.orders.tables import schedule_line
from shared.quality.tables import hold, sample

LAST_MADE = 8
HEATS_LOOKED_BACK = 40
"""A day of a melt shop: older heats without an analysis are no news."""


@dataclass(frozen=True, slots=True)
class Made:
    """One operation of a unit with the numbers of what it made."""

    row: Any
    numbers: tuple[str, ...]


def last_made(conn: Connection, author: str, unit: str, limit: int = LAST_MADE) -> list[Made]:
    """The unit's last operations, youngest first."""
    c = operation.c
    query = select(operation).where(c.author == author, c.unit == unit).order_by(c.ended_at_ms.desc()).limit(limit)
    rows = conn.execute(query).all()
    same = and_(material.c.author == edge.c.author, material.c.material_id == edge.c.child_id)
    made = conn.execute(
        select(edge.c.operation_id, material.c.number)
        .distinct()
        .join(material, same)
        .where(edge.c.author == author, edge.c.operation_id.in_([row.operation_id for row in rows]))
        .order_by(material.c.number)
    ).all()
    return [Made(row, tuple(m.number for m in made if m.operation_id == row.operation_id)) for row in rows]


def schedule_counts(conn: Connection, author: str, from_ms: int, to_ms: int) -> dict[str, dict[str, int]]:
    """Unit -> state -> lines: done within the span, open now."""
    c = schedule_line.c
    query = select(c.unit, c.state, func.count().label("lines")).where(
        c.author == author, (c.state == "open") | c.closed_at_ms.between(from_ms, to_ms)
    )
    found: dict[str, dict[str, int]] = {}
    for row in conn.execute(query.group_by(c.unit, c.state)):
        found.setdefault(row.unit, {})[row.state] = int(row.lines)
    return found


def held_stock(conn: Connection, author: str) -> tuple[int, int]:
    """How many live pieces have an open hold of this plant, and their grams."""
    open_hold = select(hold.c.material_id).where(
        hold.c.author == author, hold.c.released_at_ms.is_(None), hold.c.placed_at_ms.is_not(None)
    )
    query = select(func.count(), func.coalesce(func.sum(material.c.mass_g), 0)).where(
        material.c.author == author,
        material.c.state == "live",
        material.c.kind != "heat",
        material.c.material_id.in_(open_hold),
    )
    pieces, grams = conn.execute(query).one()
    return int(pieces), int(grams)


def pieces_by_id(conn: Connection, author: str, ids: Iterable[str]) -> dict[str, Row[Any]]:
    """This plant's rows of the pieces."""
    query = select(material).where(material.c.author == author, material.c.material_id.in_(sorted(set(ids))))
    return {row.material_id: row for row in conn.execute(query)}


def ids_of_numbers(conn: Connection, author: str, numbers: Iterable[str]) -> dict[str, str]:
    """Printed number -> piece, for the few pieces of a schedule's next lines."""
    found = {number: find_by_number(conn, number, author) for number in sorted(set(numbers))}
    return {number: rows[0].material_id for number, rows in found.items() if rows}


def awaiting_results(conn: Connection, author: str, final_place: str) -> Sequence[Row[Any]]:
    """The plant's young heats whose final analysis has not arrived, youngest first."""
    c = material.c
    young = (
        select(c.material_id)
        .where(c.author == author, c.kind == "heat", c.origin == "made")
        .order_by(c.born_at_ms.desc())
        .limit(HEATS_LOOKED_BACK)
    )
    analysed = select(sample.c.material_id).where(sample.c.author == author, sample.c.place == final_place)
    query = select(material).where(c.author == author, c.material_id.in_(young), c.material_id.not_in(analysed))
    return conn.execute(query.order_by(c.born_at_ms.desc())).all()


def last_deviations(conn: Connection, author: str, since_ms: int, limit: int = 10) -> Sequence[Row[Any]]:
    """What happened against a rule since a time, youngest first."""
    c = deviation_raised.c
    query = select(deviation_raised).where(c.author == author, c.at_ms >= since_ms)
    return conn.execute(query.order_by(c.at_ms.desc()).limit(limit)).all()


def stock_by_place(conn: Connection, author: str) -> Sequence[Row[Any]]:
    """Pieces and grams by place and kind, heats left out."""
    c = material.c
    query = select(c.place, c.kind, func.count().label("pieces"), func.sum(c.mass_g).label("mass_g")).where(
        c.author == author, c.state == "live", c.kind != "heat"
    )
    return conn.execute(query.group_by(c.place, c.kind).order_by(c.place, c.kind)).all()
