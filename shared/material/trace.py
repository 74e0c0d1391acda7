"""Genealogy: traces by one recursive query, places on ancestors, ancestors' marks on a piece."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Literal

from sqlalchemy import Connection, Row

from shared.errors import BadInput
from shared.material.domain import Affine, check_acyclic, clip, part_of, to_child, to_parent
from shared.material.explore import explore
from shared.material.mixture import WHOLE_PPM, mixtures_of, steel_at
from shared.material.queries import marks_of, operations_of
from shared.material.walk import DEPTH_MAX, EDGES_MAX, Piece, Step, holder_first, walk
from shared.material.way import NOTHING, Beyond, find_beyond

Direction = Literal["backward", "forward", "both"]
LENGTH_MAX_UM = 10**13
"""Ten thousand kilometres: beyond any strip, and safe to calculate with."""


@dataclass(frozen=True, slots=True)
class TraceFilter:
    """Which steps of a trace are shown; empty = any. The walk goes through all of them: what lies behind a step of another
    plant is found. A step is judged by its operation (plant = its author, time = its end) and the kind of piece it reaches.
    """

    kinds: frozenset[str] = frozenset()
    plants: frozenset[str] = frozenset()
    operations: frozenset[str] = frozenset()
    from_ms: int = 0
    to_ms: int = 0

    @property
    def needs_operations(self) -> bool:
        """Whether the operation's row decides."""
        return bool(self.operations or self.from_ms or self.to_ms)

    def shows(self, step: Step, kind: str, done: Any) -> bool:
        """Whether a step is shown. kind: of the piece it reaches; done: its operation, where there is one."""
        if (self.kinds and kind not in self.kinds) or (self.plants and step.author not in self.plants):
            return False
        if not self.needs_operations:
            return True
        if done is None or (self.operations and done.operation not in self.operations):
            return False
        return done.ended_at_ms >= self.from_ms and (not self.to_ms or done.ended_at_ms <= self.to_ms)


@dataclass(frozen=True, slots=True)
class Cut:
    """What a trace leaves out, so that nobody takes it for the whole."""

    open_ends: Sequence[str] = ()
    """Pieces at the last step asked for that have more beyond it."""
    more: bool = False
    """There are more steps than the count asked for."""
    hidden: int = 0
    """Steps walked through that the filter does not show."""

    def __bool__(self) -> bool:
        return bool(self.open_ends or self.more or self.hidden)

    @property
    def words(self) -> str:
        """In one sentence; empty when nothing is left out."""
        parts = []
        if self.open_ends:
            parts.append(f"{len(self.open_ends)} pieces go on beyond the last step asked for")
        if self.more:
            parts.append("there are more steps than the number asked for; the nearest are shown")
        if self.hidden:
            parts.append(f"{self.hidden} steps are hidden by the filter")
        return "; ".join(parts)


@dataclass(frozen=True, slots=True)
class Trace:
    """What a piece came from or became: edges, all authors' rows of every piece, all their numbers, what is left out."""

    material_id: str
    direction: Direction
    edges: Sequence[Step]
    rows: Sequence[Piece]
    numbers: dict[str, list[str]] = field(default_factory=dict)
    depth: int = 0
    cut: Cut = Cut()
    told: Beyond = NOTHING
    """What of it was told by senders alone (way_trace.py); its steps are among the edges."""


def trace(
    conn: Connection,
    material_id: str,
    direction: Direction = "backward",
    depth: int = DEPTH_MAX,
    count: int = EDGES_MAX,
    wanted: TraceFilter | None = None,
) -> Trace:
    """Everything a piece came from (backward) or became (forward), over all authors, at most `depth` steps away and at
    most `count` steps each way; BadInput for another direction."""
    if direction not in ("backward", "forward", "both"):
        raise BadInput("material.direction", f"A trace runs backward, forward or both, not {direction!r}.")
    ways = ("backward", "forward") if direction == "both" else (direction,)
    seen = {way: explore(conn, material_id, way == "backward", depth, count) for way in ways}
    walks = {way: found.walk for way, found in seen.items()}
    steps = [step for found in walks.values() for step in found.steps]
    open_ends = [end for found in walks.values() for end in found.open_ends]
    more, hidden = any(found.more for found in walks.values()), 0
    ids = _ids(material_id, steps)
    reached = {key: piece for found in seen.values() for key, piece in found.pieces.items() if key[1] in ids}
    rows = sorted(reached.values(), key=holder_first)
    if wanted is not None and wanted != TraceFilter():
        kept = [step for way, found in walks.items() for step in _shown(conn, found.steps, way, rows, wanted)]
        hidden, steps = len(steps) - len(kept), kept
        ids = _ids(material_id, steps)
        rows = [row for row in rows if row.material_id in ids]
    farthest = max((step.depth for step in steps), default=0)
    known = {piece: named for found in seen.values() for piece, named in found.numbers.items()}
    numbers = {piece: known[piece] for piece in ids if known.get(piece)}
    return Trace(material_id, direction, steps, rows, numbers, farthest, Cut(tuple(open_ends), more, hidden))


def _ids(start: str, steps: Sequence[Step]) -> set[str]:
    return {start, *(step.parent_id for step in steps), *(step.child_id for step in steps)}


def _shown(
    conn: Connection, steps: Sequence[Step], way: str, rows: Sequence[Piece], wanted: TraceFilter
) -> Iterator[Step]:
    kinds = {row.material_id: row.kind for row in rows}
    done = operations_of(conn, [(step.author, step.operation_id) for step in steps]) if wanted.needs_operations else {}
    for step in steps:
        there = step.parent_id if way == "backward" else step.child_id
        if wanted.shows(step, kinds.get(there, ""), done.get((step.author, step.operation_id))):
            yield step


def refuse_cycle(conn: Connection, parents: Sequence[str], children: Sequence[str]) -> None:
    """Refused when a child is a parent or an ancestor of one, over all authors: nothing is made of itself."""
    above = {step.parent_id for step in walk(conn, parents, True).steps}
    check_acyclic(parents, children, above)


@dataclass(frozen=True, slots=True)
class Place:
    """A place on a piece: um from the head and from the left edge (None = whole width), and whether it is turned.

    share_ppm: how much of the steel at the place asked for is this piece's; less than all where heats are mixed.
    """

    material_id: str
    at_um: int
    left_um: int | None
    turned: bool
    depth: int
    share_ppm: int = WHOLE_PPM


def ancestor_places(conn: Connection, material_id: str, at_um: int, left_um: int | None = None) -> list[Place]:
    """The same place on the piece and on each ancestor, up to the heats (there: metres of the strand), nearest first.

    A heat that has no steel at the place is left out.
    """
    known = walk(conn, [material_id], True).steps
    beyond = find_beyond(conn, material_id, known)
    by_child: dict[str, list[Step]] = {}
    for row in (*known, *beyond.steps):
        by_child.setdefault(row.child_id, []).append(row)
    told = {**beyond.mixtures, **mixtures_of(conn, [piece for piece, steps in by_child.items() if len(steps) > 1])}
    left = None if left_um is None else Fraction(left_um)
    front: list[Spot] = [(material_id, Fraction(at_um), left, False, WHOLE_PPM)]
    places: list[Place] = []
    for depth in range(DEPTH_MAX + 1):
        places += [_rounded(spot, depth) for spot in front]
        front = list(
            dict.fromkeys(
                _up(step, share_ppm, spot)
                for spot in front
                for step, share_ppm in steel_at(by_child.get(spot[0], ()), told.get(spot[0]), spot[1], spot[2])
            )
        )
        if not front:
            break
    return places


Spot = tuple[str, Fraction, Fraction | None, bool, int]


def _up(row: Step, share_ppm: int, spot: Spot) -> Spot:
    _, at, left, turned, before_ppm = spot
    way = to_parent(row)
    across = None if left is None else way.across(left)
    return row.parent_id, way.along(at), across, turned != bool(way.turned), part_of(before_ppm, share_ppm)


def _rounded(spot: Spot, depth: int) -> Place:
    material_id, at, left, turned, share_ppm = spot
    return Place(material_id, round(at), None if left is None else round(left), turned, depth, share_ppm)


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
    edges = walk(conn, [material_id], True).steps
    ways = _ways_down(edges, material_id)
    marks = marks_of(conn, sorted(ways))
    found = {p for m in marks for way in ways[m.material_id] if (p := _carry(m, way)) is not None}
    return sorted(found, key=lambda p: (p.from_um, p.to_um, p.mark_id))


Way = tuple[Step, ...]
"""Edges from an ancestor down to the piece."""


def _ways_down(edges: Sequence[Step], material_id: str) -> dict[str, list[Way]]:
    by_child: dict[str, list[Step]] = {}
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
