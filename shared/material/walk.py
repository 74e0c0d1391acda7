"""Walking the graph of material: one recursive query from any number of pieces, whole or cut off, as value objects.

What is cut off is told: by steps (pieces at the last step that have more beyond it) or by count (edges in view).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from operator import itemgetter
from typing import Any, NamedTuple

from sqlalchemy import CTE, Connection, Integer, Select, bindparam, func, literal, select

from shared.db.prepared import Prepared, listed, unrolled
from shared.material.tables import edge, material

DEPTH_MAX = 50
"""Deeper than any route; ends the walk should two authors ever disagree into a circle."""
EDGES_MAX = 200_000
"""Edges a walk holds in memory; whoever needs more streams (shared/recall)."""


class Step(NamedTuple):
    """One edge of the walk and how many steps away from the start it ends. Truths are 0 or 1 on SQLite."""

    author: str
    operation_id: str
    ordinal: int
    kind: str
    parent_id: str
    child_id: str
    parent_from_um: int
    parent_to_um: int
    child_from_um: int
    child_to_um: int
    parent_left_um: int
    parent_right_um: int
    child_left_um: int
    child_right_um: int
    mass_g: int
    share_ppm: int
    flip_length: bool
    flip_width: bool
    flip_face: bool
    depth: int


class Piece(NamedTuple):
    """One author's row of a piece."""

    author: str
    material_id: str
    kind: str
    number: str
    grade: str
    order_item: str
    state: str
    mass_g: int
    mass_basis: str
    mass_scale: str
    mass_at_ms: int
    thickness_um: int
    width_um: int
    length_um: int
    place: str
    origin: str
    heat_number: str
    chemistry: str
    attributes: str
    identified_as: str | None
    born_at_ms: int
    ended_at_ms: int | None
    last_fact: str


@dataclass(frozen=True, slots=True)
class Walk:
    """Edges by distance. open_ends: pieces at the last step that have more beyond it; more: edges beyond the count."""

    steps: Sequence[Step]
    open_ends: Sequence[str] = ()
    more: bool = False


def walk(
    conn: Connection, starts: Sequence[str], backward: bool, depth: int = DEPTH_MAX, count: int = EDGES_MAX
) -> Walk:
    """Everything these pieces came from (backward) or became, over all authors, nearest first."""
    depth, count = min(depth, DEPTH_MAX), min(count, EDGES_MAX)
    return cut(
        _WALKS[backward].rows(conn, starts=list(starts), cap=depth, most=count + 1 + len(starts)),
        backward,
        depth,
        count,
    )


Row = tuple[Any, ...]
DEPTH = Step._fields.index("depth")


def cut(rows: Iterable[Row], backward: bool, depth: int, count: int) -> Walk:
    """Rows that begin with a step's columns as a walk of at most `count` steps, each at most `depth` away; the rows go
    one step beyond. A piece that is reached on ways of several lengths counts at the nearest."""
    found: dict[Row, Row] = {}
    for row in rows:
        before = found.setdefault(row[:3], row)
        if row[DEPTH] < before[DEPTH]:
            found[row[:3]] = row
    ordered = sorted(found.values(), key=_nearest_first)
    kept = [Step._make(row[: DEPTH + 1]) for row in ordered[:count]]
    ends = {step.child_id if backward else step.parent_id for step in kept if step.depth > depth}
    steps = [step for step in kept if step.depth <= depth] if ends else kept
    return Walk(steps, sorted(ends), len(ordered) > count)


_nearest_first = itemgetter(DEPTH, 0, 1, 2)


def pieces_of(conn: Connection, ids: Sequence[str]) -> list[Piece]:
    """All authors' rows of these pieces, those in whose books a piece lives first, then the youngest."""
    found = [Piece._make(row) for row in _PIECES.rows(conn, ids=sorted(set(ids)))]
    found.sort(key=holder_first)
    return found


RANK = {"live": 0, "identified": 2, "opened": 2, "withdrawn": 3}
"""Whose row stands for a piece: where it lives, else the youngest; an identity that became another comes late, and a
piece that was never made last."""


def holder_first(piece: Piece) -> tuple[int, int, str]:
    """Whose row stands for a piece: where it lives, else the youngest; shipped here and consumed there was consumed."""
    return RANK.get(piece.state, 1), -piece.born_at_ms, piece.author


def known_authors(conn: Connection) -> set[str]:
    """Who has pieces here; one look into an index for each, however many pieces there are."""
    found: set[str] = set()
    last: str | None = ""
    while last is not None:
        last = conn.execute(select(func.min(material.c.author)).where(material.c.author > last)).scalar()
        if last is not None:
            found.add(last)
    return found


def reach(database: str, backward: bool) -> CTE:
    """The pieces within :cap steps of :starts (those included), each with each distance it is found at."""
    here, there = (edge.c.child_id, edge.c.parent_id) if backward else (edge.c.parent_id, edge.c.child_id)
    found = select(unrolled(database, "starts").label("id"), literal(0, Integer).label("depth")).cte(
        "reach", recursive=True
    )
    beyond = select(there, found.c.depth + 1).join(found, here == found.c.id)
    return found.union(beyond.where(found.c.depth < bindparam("cap", type_=Integer)))


def _edges(database: str, backward: bool) -> Select[Any]:
    """Steps of at most :most pieces of the reach, one step beyond :cap."""
    here = edge.c.child_id if backward else edge.c.parent_id
    found = reach(database, backward)
    # cut here, where it is lazy: a walk that is cut off by count must not first go to the end of the graph
    first = select(found.c.id, found.c.depth).limit(bindparam("most", type_=Integer)).subquery()
    return select(*edge.c, (first.c.depth + 1).label("depth")).select_from(first).join(edge, here == first.c.id)


_WALKS = {backward: Prepared(partial(_edges, backward=backward)) for backward in (False, True)}
_PIECES = Prepared(lambda database: select(material).where(listed(database, material.c.material_id, "ids")))
