"""Genealogy: traces by one recursive query, places on ancestors, ancestors' marks on a piece."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache
from typing import Any, Literal

from sqlalchemy import Connection, Integer, Row, String, bindparam, func, literal, select

from shared.errors import BadInput
from shared.material.domain import Affine, check_acyclic, clip, holds_place, to_child, to_parent
from shared.material.queries import marks_of, numbers_of, rows_of
from shared.material.tables import edge

Direction = Literal["backward", "forward", "both"]
DEPTH_MAX = 50
"""Deeper than any route; ends the walk should two authors ever disagree into a circle."""


@dataclass(frozen=True, slots=True)
class Trace:
    """What a piece came from or became: edges, all authors' rows of every piece, and all their numbers."""

    material_id: str
    direction: Direction
    edges: Sequence[Row[Any]]
    rows: Sequence[Row[Any]]
    numbers: dict[str, list[str]] = field(default_factory=dict)
    depth: int = 0


def trace(conn: Connection, material_id: str, direction: Direction = "backward", depth: int = DEPTH_MAX) -> Trace:
    """Everything a piece came from (backward) or became (forward), over all authors, at most `depth` steps."""
    if direction not in ("backward", "forward", "both"):
        raise BadInput("material.direction", f"A trace runs backward, forward or both, not {direction!r}.")
    ways = ("backward", "forward") if direction == "both" else (direction,)
    found = [row for way in ways for row in _reach(conn, material_id, way == "backward", min(depth, DEPTH_MAX))]
    ids = {material_id} | {i for row in found for i in (row.parent_id, row.child_id)}
    ordered = sorted(ids)
    return Trace(
        material_id,
        direction,
        found,
        rows_of(conn, ordered),
        numbers_of(conn, ordered),
        max((row.depth for row in found), default=0),
    )


def _reach(conn: Connection, material_id: str, backward: bool, depth: int) -> Sequence[Row[Any]]:
    return conn.execute(_statement(backward), {"start": material_id, "cap": depth}).all()


@lru_cache(maxsize=2)
def _statement(backward: bool) -> Any:
    """Made once a direction: making it costs several times what it takes to answer."""
    here, there = (edge.c.child_id, edge.c.parent_id) if backward else (edge.c.parent_id, edge.c.child_id)
    cap = bindparam("cap", type_=Integer)
    start = select(bindparam("start", type_=String(32)).label("id"), literal(0, Integer).label("depth"))
    reach = start.cte("reach", recursive=True)
    reach = reach.union(select(there, reach.c.depth + 1).join(reach, here == reach.c.id).where(reach.c.depth < cap))
    nearest = select(reach.c.id, func.min(reach.c.depth).label("depth")).group_by(reach.c.id).subquery()
    return (
        select(edge, (nearest.c.depth + 1).label("depth"))
        .join(nearest, here == nearest.c.id)
        .where(nearest.c.depth < cap)
        .order_by(nearest.c.depth, edge.c.author, edge.c.operation_id, edge.c.ordinal)
    )


def refuse_cycle(conn: Connection, parents: Sequence[str], children: Sequence[str]) -> None:
    """Refused when a child is a parent or an ancestor of one, over all authors: nothing is made of itself."""
    above = {row.parent_id for parent in parents for row in _reach(conn, parent, True, DEPTH_MAX)}
    check_acyclic(parents, children, above)


@dataclass(frozen=True, slots=True)
class Place:
    """A place on a piece: um from the head and from the left edge (None = whole width), and whether it is turned."""

    material_id: str
    at_um: int
    left_um: int | None
    turned: bool
    depth: int


def ancestor_places(conn: Connection, material_id: str, at_um: int, left_um: int | None = None) -> list[Place]:
    """The same place on the piece and on each ancestor, up to the heat (there: metres of the strand), nearest first."""
    by_child: dict[str, list[Row[Any]]] = {}
    for row in _reach(conn, material_id, True, DEPTH_MAX):
        by_child.setdefault(row.child_id, []).append(row)
    left = None if left_um is None else Fraction(left_um)
    front = [(material_id, Fraction(at_um), left, False)]
    places: list[Place] = []
    for depth in range(DEPTH_MAX + 1):
        places += [_rounded(spot, depth) for spot in front]
        front = list(
            dict.fromkeys(_up(e, s) for s in front for e in by_child.get(s[0], []) if holds_place(e, s[1], s[2]))
        )
        if not front:
            break
    return places


Spot = tuple[str, Fraction, Fraction | None, bool]


def _up(row: Row[Any], spot: Spot) -> Spot:
    _, at, left, turned = spot
    way = to_parent(row)
    return row.parent_id, way.along(at), None if left is None else way.across(left), turned != way.turned


def _rounded(spot: Spot, depth: int) -> Place:
    material_id, at, left, turned = spot
    return Place(material_id, round(at), None if left is None else round(left), turned, depth)


@dataclass(frozen=True, slots=True)
class ProjectedMark:
    """A mark as it lies on a piece: its own, or an ancestor's carried down through every edge between."""

    mark_id: str
    kind: str
    rule: str
    text: str
    value: int
    origin_id: str
    from_um: int
    to_um: int
    left_um: int
    right_um: int


def projected_marks(conn: Connection, material_id: str) -> list[ProjectedMark]:
    """Marks of the piece and of all its ancestors, as intervals of the piece, by place."""
    edges = _reach(conn, material_id, True, DEPTH_MAX)
    ways = _ways_down(edges, material_id)
    marks = marks_of(conn, sorted(ways))
    found = {p for m in marks for way in ways[m.material_id] if (p := _carry(m, way)) is not None}
    return sorted(found, key=lambda p: (p.from_um, p.to_um, p.mark_id))


Way = tuple[Row[Any], ...]
"""Edges from an ancestor down to the piece."""


def _ways_down(edges: Sequence[Row[Any]], material_id: str) -> dict[str, list[Way]]:
    by_child: dict[str, list[Row[Any]]] = {}
    for row in edges:
        by_child.setdefault(row.child_id, []).append(row)
    ways: dict[str, list[Way]] = {material_id: [()]}
    front: list[tuple[str, Way]] = [(material_id, ())]
    while front:
        front = [
            (row.parent_id, (row, *way))
            for piece, way in front
            for row in by_child.get(piece, [])
            if len(way) < DEPTH_MAX
        ]
        for piece, way in front:
            ways.setdefault(piece, []).append(way)
    return ways


def _carry(m: Row[Any], way: Way) -> ProjectedMark | None:
    along = (Fraction(m.from_um), Fraction(m.to_um))
    across = (Fraction(m.left_um), Fraction(m.right_um))
    for row in way:
        down = to_child(row)
        next_along = _through(along, (row.parent_from_um, row.parent_to_um), down.along)
        # a mark without edges spans the width, whatever the width becomes
        spans = m.left_um == m.right_um
        next_across = across if spans else _through(across, (row.parent_left_um, row.parent_right_um), down.across)
        if next_along is None or next_across is None:
            return None
        along, across = next_along, next_across
    return ProjectedMark(
        m.mark_id,
        m.kind,
        m.rule,
        m.text,
        m.value,
        m.material_id,
        round(along[0]),
        round(along[1]),
        round(across[0]),
        round(across[1]),
    )


def _through(
    interval: tuple[Fraction, Fraction], bounds: tuple[int, int], axis: Affine
) -> tuple[Fraction, Fraction] | None:
    inside = clip(interval, bounds)
    if inside is None:
        return None
    a, b = axis(inside[0]), axis(inside[1])
    return min(a, b), max(a, b)
