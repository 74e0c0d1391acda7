"""What a trace shows: steps, all authors' rows of every piece, all their numbers, by as few statements as is quickest.

On PostgreSQL one: each round trip costs as much as the whole walk of a short trace, so the walk carries its edges along
and each piece its numbers. SQLite has no round trips, and there carrying edges through the recursion costs more than
finding them again: it is asked for the walk, and then for the numbers.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from sqlalchemy import (
    ARRAY,
    Column,
    Connection,
    Integer,
    Select,
    String,
    bindparam,
    cast,
    func,
    literal_column,
    null,
    select,
)

from shared.db.prepared import Prepared, unrolled
from shared.material.queries import numbers_of
from shared.material.tables import alias, edge, material
from shared.material.walk import DEPTH, DEPTH_MAX, EDGES_MAX, Piece, Row, Step, Walk, cut

_PIECE = slice(DEPTH + 1, DEPTH + 1 + len(Piece._fields))
_FAR = {backward: Step._fields.index("parent_id" if backward else "child_id") for backward in (False, True)}

_START, _STEP = literal_column("0", Integer), literal_column("1", Integer)
_CAP = bindparam("cap", type_=Integer)
_MOST = bindparam("most", type_=Integer)
"""Where the walk is cut it is lazy: one that is cut off by count does not go to the end of the graph."""


@dataclass(frozen=True, slots=True)
class Explored:
    """A walk from one piece; rows by (author, material id) of the piece and of all that the walk reaches; their numbers,
    oldest first. Of pieces one step beyond the walk's last there may be some too.
    """

    walk: Walk
    pieces: dict[Row, Piece]
    numbers: dict[str, list[str]]


def explore(conn: Connection, start: str, backward: bool, depth: int = DEPTH_MAX, count: int = EDGES_MAX) -> Explored:
    """Everything a piece came from (backward) or became, over all authors, nearest first."""
    depth, count = min(depth, DEPTH_MAX), min(count, EDGES_MAX)
    rows = _EXPLORED[backward].rows(conn, starts=[start], cap=depth, most=count + 2)
    told = [row[_PIECE] for row in rows]
    pieces = {piece[:2]: Piece._make(piece) for piece in told if piece[0] is not None}
    found = cut((row for row in rows if row[0] is not None), backward, depth, count)
    if len(rows) > count and len({(*row[:3], row[DEPTH]) for row in rows}) == count + 2:
        found = replace(found, more=True)  # the limit, and among what it let through one edge twice
    far = _FAR[backward]
    if conn.dialect.name != "postgresql":
        return Explored(found, pieces, numbers_of(conn, [start, *(row[far] for row in rows)]))
    return Explored(found, pieces, {row[far]: list(dict.fromkeys(row[-1])) for row in rows})


def _statement(database: str, backward: bool) -> Select[Any]:
    return _carrying(backward) if database == "postgresql" else _by_rowid(backward)


def _carrying(backward: bool) -> Select[Any]:
    """The walk takes its edges along. Numbers are an array at the end."""
    here, there = _ends(backward)
    start = unrolled("postgresql", "starts")
    none = [(start if column is there else cast(null(), column.type)).label(column.name) for column in edge.c]
    found = select(*none, _START.label("depth")).cte("reach", recursive=True)
    beyond = select(*edge.c, found.c.depth + _STEP).join(found, here == found.c[there.name])
    found = found.union(beyond.where(found.c.depth <= _CAP))
    named = select(alias.c.value).where(alias.c.material_id == found.c[there.name])
    numbers = func.array(named.order_by(alias.c.given_at_ms, alias.c.value).scalar_subquery(), type_=ARRAY(String))
    first = select(found, numbers.label("numbers")).limit(_MOST).subquery()
    *step, last = first.c
    query = select(*step, *material.c, last).select_from(first)
    return query.join(material, material.c.material_id == first.c[there.name], isouter=True)


def _by_rowid(backward: bool) -> Select[Any]:
    """The walk takes along where in SQLite's table each edge is."""
    here, there = _ends(backward)
    row = literal_column("edge.rowid", Integer)
    found = select(null().label("row"), unrolled("sqlite", "starts").label("id"), _START.label("depth"))
    reach = found.cte("reach", recursive=True)
    beyond = select(row, there, reach.c.depth + _STEP).join(reach, here == reach.c.id).where(reach.c.depth <= _CAP)
    first = select(reach.union(beyond)).limit(_MOST).subquery()
    columns = [first.c.id.label(there.name) if column is there else column for column in edge.c]
    step = select(*columns, first.c.depth).join_from(first, edge, row == first.c.row, isouter=True)
    return step.add_columns(*material.c).join(material, material.c.material_id == first.c.id, isouter=True)


def _ends(backward: bool) -> tuple[Column[str], Column[str]]:
    return (edge.c.child_id, edge.c.parent_id) if backward else (edge.c.parent_id, edge.c.child_id)


_EXPLORED = {backward: Prepared(partial(_statement, backward=backward)) for backward in (False, True)}
