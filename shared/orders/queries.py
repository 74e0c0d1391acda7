"""Named reads of orders and schedules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, Select, literal, select, tuple_

from shared.orders.tables import order_item, schedule_line, sign_off


@dataclass(frozen=True)
class OrderItem:
    """An order item as its author last released it; quantities in g and um."""

    author: str
    item: str
    customer: str
    product: str
    grade: str
    thickness_um: int
    width_um: int
    mass_g: int
    route: str
    due: str
    released_at_ms: int


@dataclass(frozen=True)
class Line:
    """A line of a unit's schedule."""

    author: str
    line_id: str
    unit: str
    position: int
    piece: str
    order_item: str
    number: str
    aims: Mapping[str, int | str]
    state: str
    reason: str

    def whole(self, name: str) -> int | None:
        """An aim as a whole number, None when the line does not give it."""
        value = self.aims.get(name)
        return value if isinstance(value, int) and not isinstance(value, bool) else None

    def text(self, name: str) -> str:
        """An aim as text, empty when the line does not give it."""
        value = self.aims.get(name, "")
        return value if isinstance(value, str) else str(value)


def find_order(conn: Connection, author: str, item: str) -> OrderItem | None:
    """An order item by its number, as this author knows it."""
    row = conn.execute(select(order_item).where(order_item.c.author == author, order_item.c.item == item)).first()
    return None if row is None else OrderItem(**row._mapping)


def find_orders(
    conn: Connection, author: str = "", after: str = "", limit: int = 50, text: str = ""
) -> list[OrderItem]:
    """Order items by number, of one author or of all, at most limit + 1 (the one more says that there is more)."""
    query = select(order_item).order_by(order_item.c.item, order_item.c.author).limit(limit + 1)
    if author:
        query = query.where(order_item.c.author == author)
    if after:
        query = query.where(order_item.c.item > after)
    if text:
        query = query.where(order_item.c.item.contains(text) | order_item.c.customer.icontains(text))
    return [OrderItem(**row._mapping) for row in conn.execute(query)]


def list_unsigned(conn: Connection, author: str, grades: Sequence[str], since_ms: int) -> list[OrderItem]:
    """Items of these grades, released at that time or later, for which quality has not signed as they were released."""
    o, s = order_item.c, sign_off.c
    signed = select(s.item).where(s.author == o.author, s.item == o.item, s.released_at_ms == o.released_at_ms)
    query = select(order_item).where(o.author == author, o.grade.in_(grades), o.released_at_ms >= since_ms)
    return [OrderItem(**row._mapping) for row in conn.execute(query.where(~signed.exists()).order_by(o.item))]


def find_next_line(conn: Connection, author: str, unit: str) -> Line | None:
    """The unit's next open line."""
    return _first(conn, _lines(author).where(schedule_line.c.unit == unit, schedule_line.c.state == "open"))


def find_line(conn: Connection, author: str, unit: str, piece: str) -> Line | None:
    """The line for a piece at a unit: an open one first, else the last that was closed."""
    query = _lines(author).where(schedule_line.c.unit == unit, schedule_line.c.piece == piece)
    found = [_line(row) for row in conn.execute(query)]
    return next((line for line in found if line.state == "open"), found[-1] if found else None)


def find_line_by_id(conn: Connection, author: str, line_id: str) -> Line | None:
    """One line, or None."""
    return _first(conn, _lines(author).where(schedule_line.c.line_id == line_id))


def find_line_by_number(conn: Connection, author: str, unit: str, number: str) -> Line | None:
    """The line that plans this product number at a unit."""
    return _first(conn, _lines(author).where(schedule_line.c.unit == unit, schedule_line.c.number == number))


def find_lines(
    conn: Connection, author: str, unit: str = "", state: str = "", after: str = "", limit: int = 50
) -> list[Line]:
    """Lines in running order, at most limit + 1; after is the line_id of the last one seen."""
    query = _lines(author).limit(limit + 1)
    if unit:
        query = query.where(schedule_line.c.unit == unit)
    if state:
        query = query.where(schedule_line.c.state == state)
    if after:
        seen = conn.execute(
            select(*_ORDER).where(schedule_line.c.author == author, schedule_line.c.line_id == after)
        ).first()
        query = query.where(tuple_(*_ORDER) > tuple_(*(literal(v) for v in seen))) if seen else query
    return [_line(row) for row in conn.execute(query)]


_ORDER = (schedule_line.c.released_at_ms, schedule_line.c.position, schedule_line.c.line_id)
"""How a unit's lines run: appended releases one after the other, positions within."""


def _lines(author: str) -> Select[Any]:
    return select(schedule_line).where(schedule_line.c.author == author).order_by(*_ORDER)


def _first(conn: Connection, query: Select[Any]) -> Line | None:
    row = conn.execute(query.limit(1)).first()
    return None if row is None else _line(row)


def _line(row: Row[Any]) -> Line:
    return Line(
        row.author,
        row.line_id,
        row.unit,
        row.position,
        row.piece,
        row.order_item,
        row.number,
        msgspec.json.decode(row.aims),
        row.state,
        row.reason,
    )
