"""Named reads of figures: sums of base measures (ratios are taken from them, last), states, stops."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, func, select

from shared.performance.tables import handover, rollup, state_change, stop, unit_state

Measures = Mapping[str, int]


def sums(
    conn: Connection, *, author: str = "", unit: str = "", days: Sequence[str] = (), shift: str = ""
) -> dict[tuple[str, str], dict[str, int]]:
    """(author, unit) -> measure -> total over the chosen production days and shift; automatic and manual together."""
    total = func.sum(rollup.c.total)
    query = select(rollup.c.author, rollup.c.unit, rollup.c.measure, total.label("total")).group_by(
        rollup.c.author, rollup.c.unit, rollup.c.measure
    )
    for column, value in ((rollup.c.author, author), (rollup.c.unit, unit), (rollup.c.shift, shift)):
        if value:
            query = query.where(column == value)
    if days:
        query = query.where(rollup.c.production_day.in_(list(days)))
    found: dict[tuple[str, str], dict[str, int]] = {}
    for row in conn.execute(query.order_by(rollup.c.author, rollup.c.unit, rollup.c.measure)):
        found.setdefault((row.author, row.unit), {})[row.measure] = int(row.total)
    return found


def sums_by_day(conn: Connection, author: str, first_day: str, last_day: str) -> dict[str, dict[str, dict[str, int]]]:
    """Production day -> unit -> measure -> total of a plant, in one question."""
    query = (
        select(rollup.c.production_day, rollup.c.unit, rollup.c.measure, func.sum(rollup.c.total).label("total"))
        .where(rollup.c.author == author, rollup.c.production_day.between(first_day, last_day))
        .group_by(rollup.c.production_day, rollup.c.unit, rollup.c.measure)
    )
    found: dict[str, dict[str, dict[str, int]]] = {}
    for row in conn.execute(query):
        found.setdefault(row.production_day, {}).setdefault(row.unit, {})[row.measure] = int(row.total)
    return found


def by_shift(conn: Connection, author: str, production_day: str) -> Sequence[Row[Any]]:
    """Roll-ups of one production day by unit, shift, measure and way of collecting."""
    query = select(rollup).where(rollup.c.author == author, rollup.c.production_day == production_day)
    return conn.execute(query.order_by(rollup.c.unit, rollup.c.shift, rollup.c.measure, rollup.c.collected)).all()


def by_day(conn: Connection, author: str, unit: str, first_day: str, last_day: str) -> dict[str, dict[str, int]]:
    """Production day -> measure -> total of one unit, for trends and weekly figures."""
    query = (
        select(rollup.c.production_day, rollup.c.measure, func.sum(rollup.c.total).label("total"))
        .where(rollup.c.author == author, rollup.c.unit == unit, rollup.c.production_day.between(first_day, last_day))
        .group_by(rollup.c.production_day, rollup.c.measure)
        .order_by(rollup.c.production_day, rollup.c.measure)
    )
    found: dict[str, dict[str, int]] = {}
    for row in conn.execute(query):
        found.setdefault(row.production_day, {})[row.measure] = int(row.total)
    return found


def production_days(conn: Connection, author: str = "", limit: int = 31) -> list[str]:
    """Production days that have figures, youngest first."""
    query = select(rollup.c.production_day).distinct().order_by(rollup.c.production_day.desc()).limit(limit)
    return list(conn.execute(query.where(rollup.c.author == author) if author else query).scalars())


def collected_manually(conn: Connection, author: str, unit: str, days: Sequence[str]) -> int:
    """How many of a unit's measure events were booked by hand on these days: said beside its figures."""
    query = select(func.coalesce(func.sum(rollup.c.events), 0)).where(
        rollup.c.author == author,
        rollup.c.unit == unit,
        rollup.c.collected == "manual",
        rollup.c.production_day.in_(list(days)),
    )
    return int(conn.execute(query).scalar_one())


def states(conn: Connection, author: str = "") -> Sequence[Row[Any]]:
    """What each unit does now."""
    query = select(unit_state).order_by(unit_state.c.author, unit_state.c.unit)
    return conn.execute(query.where(unit_state.c.author == author) if author else query).all()


def find_state(conn: Connection, author: str, unit: str) -> Row[Any] | None:
    """What one unit does now, or None when it never said."""
    return conn.execute(select(unit_state).where(unit_state.c.author == author, unit_state.c.unit == unit)).first()


def changes(conn: Connection, author: str, unit: str, from_ms: int, to_ms: int) -> Sequence[Row[Any]]:
    """State changes of a unit within a span, oldest first."""
    query = select(state_change).where(
        state_change.c.author == author, state_change.c.unit == unit, state_change.c.at_ms.between(from_ms, to_ms)
    )
    return conn.execute(query.order_by(state_change.c.at_ms, state_change.c.fact_id)).all()


def find_stop(conn: Connection, author: str, stop_id: str) -> Row[Any] | None:
    """One stop, or None."""
    return conn.execute(select(stop).where(stop.c.author == author, stop.c.stop_id == stop_id)).first()


def stops(
    conn: Connection, *, author: str = "", unit: str = "", days: Sequence[str] = (), shift: str = ""
) -> Sequence[Row[Any]]:
    """Stops of the chosen production days and shift, oldest first."""
    query = select(stop).order_by(stop.c.from_ms, stop.c.stop_id)
    for column, value in ((stop.c.author, author), (stop.c.unit, unit), (stop.c.shift, shift)):
        if value:
            query = query.where(column == value)
    return conn.execute(query.where(stop.c.production_day.in_(list(days))) if days else query).all()


def latest_stops(conn: Connection, author: str, days: Sequence[str], limit: int) -> Sequence[Row[Any]]:
    """So many stops of a plant on these production days, youngest first."""
    query = select(stop).where(stop.c.author == author, stop.c.production_day.in_(list(days)))
    return conn.execute(query.order_by(stop.c.from_ms.desc(), stop.c.stop_id.desc()).limit(limit)).all()


def delay_ms(
    conn: Connection, *, author: str = "", unit: str = "", days: Sequence[str] = (), shift: str = ""
) -> dict[tuple[str, str], dict[str, int]]:
    """(author, unit) -> reason -> milliseconds stopped."""
    found: dict[tuple[str, str], dict[str, int]] = {}
    for row in stops(conn, author=author, unit=unit, days=days, shift=shift):
        reasons = found.setdefault((row.author, row.unit), {})
        reasons[row.reason] = reasons.get(row.reason, 0) + max(0, row.to_ms - row.from_ms)
    return found


def handovers(conn: Connection, author: str, limit: int = 20) -> Sequence[Row[Any]]:
    """Handover notes, youngest first."""
    query = select(handover).where(handover.c.author == author)
    return conn.execute(query.order_by(handover.c.at_ms.desc(), handover.c.fact_id).limit(limit)).all()
