"""What the trace page shows: ancestors in order, their bars, and one place carried through all of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection

from shared.material.facts import Mixture
from shared.material.mixture import stretches_of
from shared.material.trace import Place, ProjectedMark, Trace, ancestor_places, projected_marks, trace
from shared.material.way import TOLD
from shared.material.way_trace import mixtures_in, operations_in, with_way
from shared.quality.mixed import Steel, read_steel
from shared.web.pieces.elements import in_order
from shared.web.pieces.graph import first_rows
from shared.web.pieces.strip import Drawn, Part, Picture, Spot, draw, is_spot, parts_of_marks
from shared.web.pieces.strip import Steel as Melted

BARS_MAX = 12
"""A welded coil of a dozen parents; beyond that the table tells more than a picture."""
Address = Callable[..., str]


@dataclass(frozen=True, slots=True)
class Hit:
    """A mark in which the chosen place lies: a spot or an interval, placed on this very piece or carried to it."""

    place: Place
    mark: ProjectedMark
    is_spot: bool
    is_own: bool


@dataclass(frozen=True, slots=True)
class Step:
    """One piece of the way back: what it is, how it was made, where the chosen place lies on it."""

    row: Any
    depth: int
    operation: Any
    turns: tuple[str, ...]
    share_ppm: int
    places: Sequence[Place]
    marks: Sequence[ProjectedMark]

    @property
    def hits(self) -> list[Hit]:
        """Marks in which the chosen place lies."""
        return [
            Hit(place, mark, is_spot(mark, self.row.width_um), mark.origin_id == self.row.material_id)
            for place in self.places
            for mark in self.marks
            if _inside(place, mark)
        ]


@dataclass(frozen=True, slots=True)
class Scene:
    """The whole trace page."""

    back: Trace
    steps: Sequence[Step]
    picture: Picture
    children: Sequence[Any]
    heats: Sequence[str]
    """Heats of mixed steel, in the order of the picture's colours."""
    steel: Steel | None
    """What the chosen place is made of."""

    @property
    def elements(self) -> list[str]:
        """Elements of the estimate, in the chemists' order."""
        return in_order(self.steel.chemistry_e6) if self.steel else []

    def number_of(self, material_id: str) -> str:
        """What a piece of the way back is called."""
        return next((row.number for row in self.back.rows if row.material_id == material_id), material_id)

    def is_told(self, material_id: str) -> bool:
        """Whether a piece is known by its sender's word alone, so that it has no page here."""
        return any(row.material_id == material_id and row.state == TOLD for row in self.back.rows)


def read_scene(conn: Connection, material_id: str, at_um: int | None, left_um: int | None, address: Address) -> Scene:
    """Read a piece with everything it came from and its direct children; at_um chooses a place on it."""
    back = with_way(conn, trace(conn, material_id, "backward"))
    forward = trace(conn, material_id, "forward", depth=1)
    rows = first_rows([*back.rows, *forward.rows])
    places = ancestor_places(conn, material_id, at_um, left_um) if at_um is not None else []
    line = [(rows[piece], depth) for piece, depth in ancestors(back) if piece in rows]
    # marks are carried down for what is drawn; a table of hundreds of ancestors would pay for each of them
    done = operations_in(conn, back)
    steps = [_step(conn, back, done, row, depth, places, n < BARS_MAX) for n, (row, depth) in enumerate(line)]
    told = mixtures_in(conn, back)
    heats = [heat for heat in dict.fromkeys(heat for one in told.values() for heat in one.heats) if heat in rows]
    heats.sort(key=lambda heat: (rows[heat].born_at_ms, heat))
    drawn = [
        replace(
            _drawn(step, back, forward, rows, address), steel=_melted(step.row.material_id, back, told, heats, rows)
        )
        for step in steps[:BARS_MAX]
    ]
    children = [(edge, rows[edge.child_id]) for edge in forward.edges if edge.child_id in rows]
    here = read_steel(conn, material_id, at_um, at_um) if at_um is not None else None
    return Scene(back, steps, draw(drawn), children, [rows[heat].number for heat in heats], here)


def _melted(
    piece: str, back: Trace, told: Mapping[str, Mixture], heats: Sequence[str], rows: Mapping[str, Any]
) -> list[Melted]:
    """The heats of mixed steel along a piece."""
    return [
        Melted(
            part.from_um,
            part.to_um,
            [(heats.index(heat), ppm) for heat, ppm in part.shares.items() if heat in heats],
            f"{part.from_um / 1e6:,.2f} to {part.to_um / 1e6:,.2f} m: "
            + ", ".join(
                f"heat {rows[heat].number} {ppm / 1e4:.0f} %" for heat, ppm in part.shares.items() if heat in rows
            ),
        )
        for part in stretches_of(piece, back.edges, told)
    ]


def ancestors(back: Trace) -> list[tuple[str, int]]:
    """The piece and its ancestors, nearest first, each once."""
    depths = {back.material_id: 0}
    for edge in back.edges:
        depths.setdefault(edge.parent_id, edge.depth)
    return sorted(depths.items(), key=lambda item: (item[1], item[0]))


def _step(
    conn: Connection,
    back: Trace,
    done: Mapping[tuple[str, str], Any],
    row: Any,
    depth: int,
    places: Sequence[Place],
    marked: bool,
) -> Step:
    made = [edge for edge in back.edges if edge.child_id == row.material_id and edge.kind == "transform"]
    operation = done.get((made[0].author, made[0].operation_id)) if made else None
    down = [edge for edge in back.edges if edge.parent_id == row.material_id]
    return Step(
        row,
        depth,
        operation,
        turns(made[0]) if made else (),
        max((e.share_ppm for e in down), default=1_000_000),
        [place for place in places if place.material_id == row.material_id],
        projected_marks(conn, row.material_id) if row.length_um and marked else [],
    )


def turns(edge: Any) -> tuple[str, ...]:
    """The flips of an edge in words."""
    words = (
        (edge.flip_length, "head became tail"),
        (edge.flip_width, "left became right"),
        (edge.flip_face, "top became bottom"),
    )
    return tuple(text for flipped, text in words if flipped)


def _drawn(step: Step, back: Trace, forward: Trace, rows: dict[str, Any], address: Address) -> Drawn:
    row = step.row
    used = [_used(edge, rows) for edge in back.edges if edge.parent_id == row.material_id]
    if step.depth == 0:
        used = [_child(edge, rows, address) for edge in forward.edges]
    hrefs = {
        m.mark_id: address(
            row.number, at_mm=(m.from_um + m.to_um) // 2000, left_mm=(m.left_um + m.right_um) // 2000 or None
        )
        for m in step.marks
    }
    spots = [Spot(place.at_um, place.left_um) for place in step.places]
    parts = [*used, *parts_of_marks(step.marks, hrefs, row.width_um)]
    return Drawn(row.material_id, row.number, row.length_um, row.width_um, parts, spots)


def _used(edge: Any, rows: dict[str, Any]) -> Part:
    child = rows.get(edge.child_id)
    title = f"became {child.number}" if child is not None else "used"
    return Part("interval", edge.parent_from_um, edge.parent_to_um, edge.parent_left_um, edge.parent_right_um, title)


def _child(edge: Any, rows: dict[str, Any], address: Address) -> Part:
    child = rows.get(edge.child_id)
    number = child.number if child is not None else ""
    return Part(
        "child",
        edge.parent_from_um,
        edge.parent_to_um,
        edge.parent_left_um,
        edge.parent_right_um,
        f"became {number}",
        address(number) if number else "",
        number.rpartition("-")[2],
    )


def _inside(place: Place, mark: ProjectedMark) -> bool:
    along = mark.from_um <= place.at_um <= mark.to_um
    whole = place.left_um is None or mark.left_um == mark.right_um
    return along and (whole or mark.left_um <= (place.left_um or 0) <= mark.right_um)
