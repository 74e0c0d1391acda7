"""Lists over many pieces: what may be worked at a unit next, and how far an order item is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, func, select

from local_mes.execution.next_step import Next, read_next
from local_mes.execution.standing import Standing
from local_mes.model.domain import Unit
from local_mes.plant import Plant
from shared.db.bulk import among
from shared.material.tables import material
from shared.orders.queries import find_lines
from shared.standards.documents import Routing

PIECES_MAX = 300
"""Pieces looked at for one list, the oldest first: more than a unit works in a day; the rest is counted."""
LINES_MAX = 200
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

    unseen: pieces for such a step that were not looked at, because there are more than a list shows.
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
    """Live pieces here whose order's route has a step for such a unit."""
    here = (material.c.author == standing.plant.code, material.c.state == "live", material.c.kind.in_(KINDS))
    items = standing.conn.execute(select(material.c.order_item).where(*here).distinct()).scalars()
    wanted = [item for item in items if _has_step(standing, item, unit.unit_class)]
    if not wanted:
        return [], 0
    mine = (*here, among(standing.conn, material.c.order_item, sorted(wanted)))
    total = standing.conn.execute(select(func.count()).select_from(material).where(*mine)).scalar_one()
    query = select(material).where(*mine).order_by(material.c.born_at_ms, material.c.material_id).limit(PIECES_MAX)
    return standing.conn.execute(query).all(), max(0, total - PIECES_MAX)


def _has_step(standing: Standing, item: str, unit_class: str) -> bool:
    order = standing.order(item)
    _, document = standing.in_force.get(order.route if order else "", (None, None))
    return isinstance(document, Routing) and any(unit_class in step.all_classes for step in document.steps)


def order_pieces(conn: Connection, plant: Plant, item: str) -> tuple[list[Next], int]:
    """The live pieces of an order item at this plant with what comes for each, and how many more there are."""
    mine = (material.c.author == plant.code, material.c.state == "live", material.c.order_item == item)
    total = conn.execute(select(func.count()).select_from(material).where(*mine)).scalar_one()
    query = select(material).where(*mine).order_by(material.c.born_at_ms, material.c.material_id).limit(PIECES_MAX)
    rows = conn.execute(query).all()
    return read_next(Standing(conn, plant), rows), max(0, total - len(rows))
