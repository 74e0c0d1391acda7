"""What a unit was charged with and lost whole (a cobble), by the products of the same production day.

No operation tells of it: the piece made nothing. The unit counts it as `lost_g` beside `charged_g`, so the day's yield
knows it; a piece that was made there that day answers for its part.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Any

from sqlalchemy import Connection, Row, func, select

from shared.clock import to_datetime
from shared.performance.tables import rollup

DAY_MS = 86_400_000
DAY_MAX_MS = 2 * DAY_MS
"""A production day begins less than this before any moment of it, in any zone."""
Key = tuple[str, str]


def lost_for_products(conn: Connection, operations: Mapping[Key, Row[Any]]) -> dict[Key, Fraction]:
    """Operation -> grams lost whole at its unit for each gram made there on its production day; only where any were."""
    found: dict[tuple[str, str, int], Fraction] = {}
    for one in operations.values():
        place = one.author, one.unit, one.ended_at_ms
        if place not in found:
            found[place] = _lost(conn, *place)
    parts = {key: found[one.author, one.unit, one.ended_at_ms] for key, one in operations.items()}
    return {key: part for key, part in parts.items() if part}


def _lost(conn: Connection, author: str, unit: str, at_ms: int) -> Fraction:
    r = rollup.c
    day = conn.execute(
        # the day that was still counted in when the step ended: no calendar is needed, the hub has none of its plants'
        select(func.min(r.production_day)).where(
            r.author == author,
            r.unit == unit,
            r.production_day >= f"{to_datetime(at_ms - DAY_MAX_MS):%Y-%m-%d}",
            r.measure == "charged_g",
            r.last_at_ms >= at_ms,
        )
    ).scalar()
    if day is None:
        return Fraction(0)
    sums = _sums(conn, (author, unit, day), ("lost_g", "good_g"))
    lost, good = sums.get("lost_g", 0), sums.get("good_g", 0)
    return Fraction(lost, good) if lost > 0 and good > 0 else Fraction(0)


def _sums(conn: Connection, of: tuple[str, str, str], measures: Iterable[str]) -> dict[str, int]:
    r = rollup.c
    query = select(r.measure, func.sum(r.total)).where(r.measure.in_(list(measures))).group_by(r.measure)
    query = query.where(r.author == of[0], r.unit == of[1], r.production_day == of[2])
    return {measure: int(total) for measure, total in conn.execute(query)}
