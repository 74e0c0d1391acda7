"""Lists over many pieces: what may be worked at a unit next, and how far an order item is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, func, select

from local_mes.execution.next_step import Next, read_next
from local_mes.execution.standing import Standing
from local_mes.model.domain import Unit
from local_mes.plant import Plant
from local_mes.transfers.service import inherited_routes, was_given
from shared.db.bulk import among
from shared.execution.trails import lines_of
from shared.material.tables import material
from shared.orders.queries import find_lines
from shared.standards.documents import Routing

PIECES_MAX = 300
"""Pieces looked at for one list, the oldest first: more than a unit works in a day; the rest is counted."""
LINES_MAX = 200
STRAYS_MAX = 1_000
"""Pieces made here looked at, the oldest first, for the route of what they were made of, where their order's has no such
step; the rest is counted. Those that were given such a route themselves are found whatever their number."""
KINDS = ("heat", "slab", "billet", "coil", "slit", "plate", "bundle")
"""Packs and samples follow no route of their own."""


@dataclass(frozen=True)
class WorkLine:
    """A piece that comes to a unit next. position: its place in the unit's schedule, None where it has none."""

    found: Next
    position: int | None
    why_not: str


@dataclass(frozen=True)
class WorkList:
    """What may be worked at a unit: inside it now, ready, and what would come but must wait, with the reason.

    unseen: pieces that may come to such a step and were not looked at, because there are more than a list shows.
    """

    unit: Unit
    inside: tuple[Next, ...]
    ready: tuple[WorkLine, ...]
    waiting: tuple[WorkLine, ...]
    unseen: int


def work_list(conn: Connection, plant: Plant, unit: Unit) -> WorkList:
    """Scheduled pieces first in running order, then the oldest."""
    standing = Standing(conn, plant)
    rows, unseen = _candidates(standing, unit)
    positions = {line.piece: n for n, line in enumerate(_lines(standing, unit), start=1)}
    inside, lines = [], []
    for found in read_next(standing, rows):
        if found.row.place == unit.code and found.way is not None and found.way.here is not None:
            inside.append(found)
            continue
        offer = next((offer for offer in found.offers if offer.unit == unit.code), None)
        if offer is not None:
            lines.append(WorkLine(found, positions.get(found.row.number), found.why or offer.why_not))
    lines.sort(key=lambda line: (line.position is None, line.position or 0, line.found.row.born_at_ms))
    ready = tuple(line for line in lines if not line.why_not)
    return WorkList(unit, tuple(inside), ready, tuple(line for line in lines if line.why_not), unseen)


def _lines(standing: Standing, unit: Unit) -> Sequence[Any]:
    return find_lines(standing.conn, standing.plant.code, unit.code, "open", limit=LINES_MAX)[:LINES_MAX]


def _candidates(standing: Standing, unit: Unit) -> tuple[Sequence[Row[Any]], int]:
    """Live pieces here whose route has a step for such a unit."""
    here = (material.c.author == standing.plant.code, material.c.state == "live", material.c.kind.in_(KINDS))
    items = set(standing.conn.execute(select(material.c.order_item).where(*here).distinct()).scalars())
    wanted = {item for item in items if _has_step(standing, _route_of(standing, item), unit.unit_class)}
    mine = (*here, among(standing.conn, material.c.order_item, sorted(wanted)))
    others = (*here, among(standing.conn, material.c.order_item, sorted(items - wanted)))
    strays, unseen = _re_routed(standing, unit, others)
    of_orders, more = _oldest(standing, mine, PIECES_MAX) if wanted else ((), 0)
    rows = sorted((*strays, *of_orders), key=lambda row: (row.born_at_ms, row.material_id))
    return rows[:PIECES_MAX], unseen + more + max(0, len(rows) - PIECES_MAX)


def _re_routed(standing: Standing, unit: Unit, where: Sequence[ColumnElement[bool]]) -> tuple[list[Row[Any]], int]:
    """Those for such a step by a route of their own, though their order's has none; and how many were not looked at."""
    ways = [rule.route for rule in standing.plant.model.reroute]
    ways = [route for route in ways if _has_step(standing, route, unit.unit_class)]
    if not ways:
        return [], 0
    given, unseen = _oldest(standing, (*where, was_given(standing.plant.code, ways)), PIECES_MAX)
    made, more = _oldest(standing, (*where, material.c.origin == "made"), STRAYS_MAX)
    rows = [*given, *made]
    lines = lines_of(standing.conn, {row.material_id for row in rows})
    routes = inherited_routes(standing.conn, standing.plant.code, rows, lines)
    strays = [row for row in rows if _has_step(standing, routes.get(row.material_id, ""), unit.unit_class)]
    return strays, unseen + more


def _oldest(standing: Standing, where: Sequence[ColumnElement[bool]], most: int) -> tuple[Sequence[Row[Any]], int]:
    """So many of them, and how many more there are."""
    query = select(material).where(*where).order_by(material.c.born_at_ms, material.c.material_id)
    rows = standing.conn.execute(query.limit(most + 1)).all()
    if len(rows) <= most:
        return rows, 0
    total = standing.conn.execute(select(func.count()).select_from(material).where(*where)).scalar_one()
    return rows[:most], total - most


def _route_of(standing: Standing, item: str) -> str:
    order = standing.order(item)
    return order.route if order is not None else ""


def _has_step(standing: Standing, route: str, unit_class: str) -> bool:
    _, document = standing.in_force.get(route, (None, None))
    return isinstance(document, Routing) and any(unit_class in step.all_classes for step in document.steps)


def order_pieces(conn: Connection, plant: Plant, item: str) -> tuple[list[Next], int]:
    """The live pieces of an order item at this plant with what comes for each, and how many more there are."""
    mine = (material.c.author == plant.code, material.c.state == "live", material.c.order_item == item)
    total = conn.execute(select(func.count()).select_from(material).where(*mine)).scalar_one()
    query = select(material).where(*mine).order_by(material.c.born_at_ms, material.c.material_id).limit(PIECES_MAX)
    rows = conn.execute(query).all()
    return read_next(Standing(conn, plant), rows), max(0, total - len(rows))
