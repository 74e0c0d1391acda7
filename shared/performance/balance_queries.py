"""Named reads of the mass balance: sums of operations, open imbalances, closes of days."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, and_, case, exists, func, select
from sqlalchemy.sql.elements import ColumnElement

from shared.material.tables import edge, loss, material, operation
from shared.performance.balance import Moved, StepSum, moved_since
from shared.performance.closing_facts import BalanceLine
from shared.performance.tables import day_close, day_close_line, imbalance_settled
from shared.quality.prime import spoken_against

PPM = 1_000_000


def sums_of_steps(conn: Connection, author: str, from_ms: int, to_ms: int) -> list[StepSum]:
    """Every unit's operations that ended within [from_ms, to_ms), summed by kind."""
    o = operation.c
    names = ("charged_g", "added_g", "produced_g", "loss_g")
    figures = [func.coalesce(func.sum(o[name]), 0).label(name) for name in names]
    within = _within(author, from_ms, to_ms)
    query = select(o.unit, o.operation, func.count().label("operations"), *figures).where(within)
    weighed, prime = _weighed(conn, within), _prime(conn, within)
    return [
        StepSum(
            row["unit"],
            row["operation"],
            row["operations"],
            **{name: int(row[name]) for name in names},
            weighed_loss_g=weighed.get((row["unit"], row["operation"]), 0),
            prime_g=prime.get((row["unit"], row["operation"]), 0),
        )
        for row in conn.execute(query.group_by(o.unit, o.operation)).mappings()
    ]


def _within(author: str, from_ms: int, to_ms: int) -> ColumnElement[bool]:
    o = operation.c
    return and_(o.author == author, o.ended_at_ms >= from_ms, o.ended_at_ms < to_ms)


def _weighed(conn: Connection, within: ColumnElement[bool]) -> dict[tuple[str, str], int]:
    o = operation.c
    same = and_(loss.c.author == o.author, loss.c.operation_id == o.operation_id)
    query = select(o.unit, o.operation, func.sum(loss.c.g)).join(loss, same)
    query = query.where(within, loss.c.weighed.is_(True), loss.c.g > 0).group_by(o.unit, o.operation)
    return {(unit, kind): int(g) for unit, kind, g in conn.execute(query)}


def _prime(conn: Connection, within: ColumnElement[bool]) -> dict[tuple[str, str], int]:
    o, e, m = operation.c, edge.c, material.c
    made = and_(e.author == o.author, e.operation_id == o.operation_id)
    piece = and_(m.author == e.author, m.material_id == e.child_id)
    held = spoken_against(e.author, e.child_id)
    query = select(o.unit, o.operation, func.sum(e.mass_g)).join_from(operation, edge, made).join(material, piece)
    query = query.where(within, m.state != "scrapped", ~held).group_by(o.unit, o.operation)
    return {(unit, kind): int(g) for unit, kind, g in conn.execute(query)}


def scrapped_g(conn: Connection, author: str, from_ms: int, to_ms: int) -> tuple[int, int]:
    """Pieces that ended whole as scrap within the span, and their grams: no operation tells of them."""
    m = material.c
    query = select(func.count(), func.coalesce(func.sum(m.mass_g), 0)).select_from(material)
    query = query.where(m.author == author, m.state == "scrapped", m.ended_at_ms >= from_ms, m.ended_at_ms < to_ms)
    pieces, grams = conn.execute(query).one()
    return int(pieces), int(grams)


def open_imbalances(
    conn: Connection, author: str, tolerances: Mapping[str, int], from_ms: int, to_ms: int, limit: int = 200
) -> Sequence[Row[Any]]:
    """Operations outside their unit's tolerance (ppm) that nobody explained as they are now, the largest first."""
    o, s = operation.c, imbalance_settled.c
    if not tolerances:
        return []
    tolerance = case(dict(tolerances), value=o.unit, else_=0)
    explained = exists().where(
        s.author == o.author, s.operation_id == o.operation_id, s.unexplained_g == o.unexplained_g
    )
    outside = func.abs(o.unexplained_g) * PPM > tolerance * o.charged_g
    query = select(operation, tolerance.label("tolerance_ppm")).where(
        _within(author, from_ms, to_ms), o.unexplained_g != 0, outside, ~explained
    )
    return conn.execute(query.order_by(func.abs(o.unexplained_g).desc(), o.operation_id).limit(limit)).all()


def products_of(conn: Connection, author: str, operations: Sequence[str]) -> dict[str, list[str]]:
    """Operation -> material ids of what it made."""
    e = edge.c
    query = (
        select(e.operation_id, e.child_id).distinct().where(e.author == author, e.operation_id.in_(list(operations)))
    )
    found: dict[str, list[str]] = {}
    for operation_id, child in conn.execute(query.order_by(e.operation_id, e.child_id)):
        found.setdefault(operation_id, []).append(child)
    return found


def closes_of(conn: Connection, author: str, production_day: str) -> Sequence[Row[Any]]:
    """A day's closes, the last one first."""
    c = day_close.c
    query = select(day_close).where(c.author == author, c.production_day == production_day)
    return conn.execute(query.order_by(c.nth.desc())).all()


def list_closes(conn: Connection, author: str = "", limit: int = 100) -> Sequence[Row[Any]]:
    """Closes of all authors known here, the youngest days first, of each day the last one first."""
    c = day_close.c
    query = select(day_close).order_by(c.production_day.desc(), c.author, c.nth.desc()).limit(limit)
    return conn.execute(query.where(c.author == author) if author else query).all()


def lines_of_close(conn: Connection, close: Row[Any]) -> list[BalanceLine]:
    """The balance a close rests on."""
    c = day_close_line.c
    query = select(day_close_line).where(c.author == close.author, c.fact_id == close.fact_id)
    names = BalanceLine.__struct_fields__
    return [BalanceLine(**{n: getattr(r, n) for n in names}) for r in conn.execute(query.order_by(c.unit, c.operation))]


def changed_since(conn: Connection, close: Row[Any]) -> list[Moved]:
    """What of a closed day is not as it was: it is open again, and these lines say by what."""
    return moved_since(lines_of_close(conn, close), sums_of_steps(conn, close.author, close.from_ms, close.to_ms))
