"""Named reads of material, the same at a plant and at the hub. Rows come as SQLAlchemy Rows of the tables' columns."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, case, func, or_, select

from shared.db.bulk import among
from shared.db.prepared import Prepared, listed
from shared.errors import NotFound
from shared.material.correction_queries import was_corrected, was_ended, wrong_numbers
from shared.material.search import find_by_part
from shared.material.tables import (
    BEARING,
    alias,
    edge,
    loss,
    mark,
    mass_history,
    material,
    operation,
    process_value,
)
from shared.material.walk import RANK

PAGE_MAX = 1_000
IDS_A_QUERY = 5_000
_MATERIAL_ID = re.compile(r"[0-9a-f]{32}")
_LIVE_FIRST = case(RANK, value=material.c.state, else_=1)


@dataclass(frozen=True, slots=True)
class MaterialFilter:
    """What a list of pieces is narrowed to; empty = any. q: see search.find_by_part."""

    author: str = ""
    kind: str = ""
    state: str = ""
    place: str = ""
    grade: str = ""
    order_item: str = ""
    q: str = ""


def find_by_number(conn: Connection, value: str, author: str = "") -> Sequence[Row[Any]]:
    """Pieces a printed number (or a material id) may mean: live ones first, then the youngest; over all authors."""
    value = value.strip()
    if _MATERIAL_ID.fullmatch(value):
        query = select(material).where(material.c.material_id == value)
    else:
        named = and_(alias.c.author == material.c.author, alias.c.material_id == material.c.material_id)
        query = select(material).join(alias, named).where(alias.c.value == value).distinct()
    if author:
        query = query.where(material.c.author == author)
    rows = conn.execute(query).all()
    # a number given by mistake finds its piece only after those that bear it rightly
    wrong = wrong_numbers(conn, value) if len(rows) > 1 else ()
    mistaken = {(r.author, r.material_id) for r in rows if (r.author, r.material_id) in wrong}
    return sorted(rows, key=lambda r: (_key(r) in mistaken, RANK.get(r.state, 1), -r.born_at_ms, *_key(r)[::-1]))


def _key(row: Row[Any]) -> tuple[str, str]:
    return row.author, row.material_id


def find_piece(conn: Connection, value: str, author: str = "") -> Row[Any] | None:
    """The first candidate for a number, or None."""
    return next(iter(find_by_number(conn, value, author)), None)


def get_piece(conn: Connection, value: str, author: str = "") -> Row[Any]:
    """The piece a number means; NotFound when nobody here knows the number."""
    row = find_piece(conn, value, author)
    if row is None:
        raise NotFound(
            "material.unknown_number",
            f"No piece with the number {value!r} is known{f' at {author}' if author else ' here'}.",
            todo="Check the number on the piece, or take the piece in first.",
        )
    return row


def find_material(conn: Connection, author: str, material_id: str) -> Row[Any] | None:
    """One author's row of a piece, or None."""
    return conn.execute(
        select(material).where(material.c.author == author, material.c.material_id == material_id)
    ).first()


def get_material(conn: Connection, author: str, material_id: str) -> Row[Any]:
    """One author's row of a piece; NotFound when this author never wrote one."""
    row = find_material(conn, author, material_id)
    if row is None:
        raise NotFound("material.unknown", f"{author} has no piece {material_id}.", todo="Check the id.")
    return row


def rows_of(conn: Connection, ids: Sequence[str]) -> Sequence[Row[Any]]:
    """All authors' rows of these pieces, the live ones first."""
    query = select(material).where(material.c.material_id.in_(sorted(set(ids))))
    return conn.execute(query.order_by(_LIVE_FIRST, material.c.born_at_ms.desc(), material.c.author)).all()


def current_holder(conn: Connection, material_id: str) -> Row[Any] | None:
    """The row of the author in whose books the piece lives now; else of the last one that had it."""
    query = select(material).where(material.c.material_id == material_id, material.c.state != "identified")
    return conn.execute(query.order_by(_LIVE_FIRST, material.c.born_at_ms.desc(), material.c.author)).first()


def list_materials(
    conn: Connection, wanted: MaterialFilter, after: str = "", limit: int = 50
) -> tuple[Sequence[Row[Any]], str | None]:
    """One page of pieces, youngest id first, and the cursor of the next page or None."""
    limit = max(1, min(limit, PAGE_MAX))
    query = _narrow(conn, select(material), wanted)
    if after:
        material_id, _, author = after.partition(".")
        later = and_(material.c.material_id == material_id, material.c.author > author)
        query = query.where(or_(material.c.material_id < material_id, later))
    rows = conn.execute(query.order_by(material.c.material_id.desc(), material.c.author).limit(limit + 1)).all()
    page = rows[:limit]
    return page, f"{page[-1].material_id}.{page[-1].author}" if len(rows) > limit else None


def count_materials(conn: Connection, wanted: MaterialFilter) -> tuple[int, int]:
    """How many pieces a filter finds, and their grams."""
    sums = select(func.count(), func.coalesce(func.sum(material.c.mass_g), 0)).select_from(material)
    query = _narrow(conn, sums, wanted)
    pieces, grams = conn.execute(query).one()
    return int(pieces), int(grams)


def count_by_place(conn: Connection, author: str) -> Sequence[Row[Any]]:
    """Live pieces by place (place, pieces, mass_g), the fullest first."""
    pieces, mass = func.count().label("pieces"), func.coalesce(func.sum(material.c.mass_g), 0).label("mass_g")
    query = select(material.c.place, pieces, mass).where(material.c.author == author, material.c.state == "live")
    return conn.execute(query.group_by(material.c.place).order_by(pieces.desc(), material.c.place)).all()


def live_numbers(conn: Connection, author: str, numbers: Sequence[str]) -> set[str]:
    """Which of these numbers a live piece of this author rightly carries."""
    named = and_(alias.c.author == material.c.author, alias.c.material_id == material.c.material_id)
    query = (
        select(alias.c.value)
        .join(material, named)
        .where(alias.c.author == author, alias.c.value.in_(sorted(set(numbers))), material.c.state.in_(BEARING))
        .where(~was_ended(author))
    )
    return set(conn.execute(query).scalars())


def _narrow(conn: Connection, query: Select[Any], wanted: MaterialFilter) -> Select[Any]:
    for name in ("author", "kind", "state", "place", "grade", "order_item"):
        value = getattr(wanted, name)
        if value:
            query = query.where(material.c[name] == value)
    if wanted.q:
        found = find_by_part(conn, wanted.q)
        query = query.where(material.c.material_id.in_(found.ids))
    return query


def numbers_of(conn: Connection, ids: Sequence[str]) -> dict[str, list[str]]:
    """All printed numbers of pieces, over all authors, oldest first."""
    found: dict[str, list[str]] = {}
    for material_id, value in _NUMBERS.rows(conn, ids=sorted(set(ids))):
        names = found.setdefault(material_id, [])
        if value not in names:
            names.append(value)
    return found


_NUMBERS = Prepared(
    lambda database: (
        select(alias.c.material_id, alias.c.value)
        .where(listed(database, alias.c.material_id, "ids"))
        .order_by(alias.c.given_at_ms, alias.c.value)
    )
)


def aliases_of(conn: Connection, material_id: str) -> Sequence[Row[Any]]:
    """Every printed number of one piece with who gave it and when."""
    return conn.execute(
        select(alias).where(alias.c.material_id == material_id).order_by(alias.c.given_at_ms, alias.c.value)
    ).all()


def marks_of(conn: Connection, ids: Sequence[str]) -> Sequence[Row[Any]]:
    """Marks placed on these pieces, in order of place."""
    query = select(mark).where(mark.c.material_id.in_(sorted(set(ids))))
    return conn.execute(query.order_by(mark.c.material_id, mark.c.from_um, mark.c.mark_id)).all()


def find_operation(conn: Connection, author: str, operation_id: str) -> Row[Any] | None:
    """One operation, or None."""
    return conn.execute(
        select(operation).where(operation.c.author == author, operation.c.operation_id == operation_id)
    ).first()


def operations_of(conn: Connection, keys: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Row[Any]]:
    """Operations by (author, operation_id)."""
    found: dict[tuple[str, str], Row[Any]] = {}
    for author, group in groupby(sorted(set(keys)), key=itemgetter(0)):
        ids = [operation_id for _, operation_id in group]
        for at in range(0, len(ids), IDS_A_QUERY):
            part = among(conn, operation.c.operation_id, ids[at : at + IDS_A_QUERY])
            rows = conn.execute(select(operation).where(operation.c.author == author, part))
            found |= {(row.author, row.operation_id): row for row in rows}
    return found


def find_making(conn: Connection, author: str, material_id: str) -> Row[Any] | None:
    """The operation that made a piece here, or None."""
    made = select(edge.c.operation_id).where(edge.c.author == author, edge.c.child_id == material_id)
    query = select(operation).where(operation.c.author == author, operation.c.operation_id.in_(made))
    return conn.execute(query.order_by(operation.c.ended_at_ms.desc())).first()


def find_weighed_g(conn: Connection, author: str, material_id: str, reasons: Sequence[str]) -> int | None:
    """The last mass (g) a scale gave a piece for one of these reasons ('' = at its birth), or None."""
    c = mass_history.c
    query = select(c.mass_g).where(
        c.author == author, c.material_id == material_id, c.basis == "weighed", c.reason.in_(reasons)
    )
    query = query.where(~was_corrected())
    return conn.execute(query.order_by(c.at_ms.desc(), c.fact_id.desc())).scalar()


def losses_of(conn: Connection, author: str, operation_id: str) -> Sequence[Row[Any]]:
    """An operation's losses (and additions, negative) in their order."""
    query = select(loss).where(loss.c.author == author, loss.c.operation_id == operation_id)
    return conn.execute(query.order_by(loss.c.ordinal)).all()


def values_of(conn: Connection, author: str, operation_id: str) -> dict[str, int]:
    """An operation's summaries by name."""
    query = select(process_value).where(process_value.c.author == author, process_value.c.operation_id == operation_id)
    return {row.name: row.value for row in conn.execute(query.order_by(process_value.c.name))}
