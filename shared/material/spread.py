"""A place carried forward: which parts of which pieces were once this part of this piece, through every cut and turn."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from sqlalchemy import Connection, select

from shared.db.prepared import Prepared, listed
from shared.errors import BadInput
from shared.material.domain import Affine, clip, to_child
from shared.material.tables import edge
from shared.material.walk import DEPTH_MAX, Step

Span = tuple[Fraction, Fraction]

AREAS_MAX = 200_000
"""Parts carried at once; a place is small, so more than this is a mistake in the question."""


@dataclass(frozen=True, slots=True)
class Area:
    """A part of a piece, um from its head and from its left edge; across None = the whole width."""

    along: Span
    across: Span | None = None

    @property
    def rounded(self) -> tuple[int, int, int | None, int | None]:
        """From, to, left and right in whole um."""
        left, right = (None, None) if self.across is None else (round(self.across[0]), round(self.across[1]))
        return round(self.along[0]), round(self.along[1]), left, right


def area(from_um: int, to_um: int, left_um: int | None = None, right_um: int | None = None) -> Area:
    """A part as it was asked for; BadInput when it is empty or reversed."""
    across = None if left_um is None or right_um is None else (Fraction(left_um), Fraction(right_um))
    if from_um < 0 or to_um < from_um or (across and not 0 <= across[0] <= across[1]):
        raise BadInput("material.area", f"{from_um} to {to_um} um is no part of a piece.", todo="From head to tail.")
    return Area((Fraction(from_um), Fraction(to_um)), across)


def carry(step: Step, part: Area) -> Area | None:
    """The part of the child that this part of the parent became; None when this edge took none of it.

    A part that only touches the edge's interval did not go with it. Where no width was measured the part spans the width.
    """
    down = to_child(step)
    along = _through(part.along, (step.parent_from_um, step.parent_to_um), down.along)
    if along is None or part.across is None:
        return None if along is None else Area(along)
    across = _through(part.across, (step.parent_left_um, step.parent_right_um), down.across)
    if across is None:
        return None
    measured = step.parent_left_um != step.parent_right_um and step.child_left_um != step.child_right_um
    return Area(along, across if measured else None)


def _through(span: Span, bounds: tuple[int, int], axis: Affine) -> Span | None:
    inside = clip(span, bounds)
    if inside is None or (inside[0] == inside[1] and span[0] != span[1]):
        return None
    a, b = axis(inside[0]), axis(inside[1])
    return min(a, b), max(a, b)


def spread(conn: Connection, starts: Mapping[str, Iterable[Area]]) -> dict[str, tuple[int, list[Area]]]:
    """Every piece that holds a part of these parts: how many steps away, and which parts of it. Starts included."""
    found: dict[str, tuple[int, list[Area]]] = {piece: (0, list(parts)) for piece, parts in starts.items()}
    front = [(piece, part) for piece, (_, parts) in found.items() for part in parts]
    for depth in range(1, DEPTH_MAX + 1):
        by_parent = steps_from(conn, sorted({piece for piece, _ in front}))
        reached = dict.fromkeys(
            (step.child_id, there)
            for piece, part in front
            for step in by_parent.get(piece, ())
            if (there := carry(step, part)) is not None
        )
        front = [(piece, part) for piece, part in reached if part not in found.setdefault(piece, (depth, []))[1]]
        for piece, part in front:
            found[piece][1].append(part)
        if not front:
            break
        if len(front) > AREAS_MAX:
            raise BadInput("material.area_too_wide", "This place went into too many parts.", todo="Name the pieces.")
    return found


def steps_from(conn: Connection, ids: Sequence[str]) -> dict[str, list[Step]]:
    """What each of these pieces went into, by piece."""
    found: dict[str, list[Step]] = {}
    for row in _FROM.rows(conn, ids=list(ids)):
        step = Step._make((*row, 0))
        found.setdefault(step.parent_id, []).append(step)
    return found


_FROM = Prepared(lambda database: select(edge).where(listed(database, edge.c.parent_id, "ids")))
