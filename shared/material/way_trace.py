"""A trace with what was told beyond it, and the way of a piece in the words of its departure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any

from sqlalchemy import Connection

from shared.material.facts import Edge, Mixture, Size
from shared.material.mixture import WHOLE_PPM, mixtures_of
from shared.material.queries import numbers_of, operations_of, rows_of
from shared.material.trace import Trace, TraceFilter, trace
from shared.material.walk import DEPTH_MAX, Piece, Step, walk
from shared.material.way import IDENTIFY, find_beyond
from shared.material.way_facts import Way, WayPiece, WayStep

EDGES_TOLD = 120
"""Edges of one way: a coil of a dozen welds over three plants has some forty. A longer way is not told, and its receiver
has the mean shares of its heats alone."""
NUMBERS_TOLD = 4
"""Numbers of one piece of a way."""
EVERYTHING = TraceFilter()


def with_way(conn: Connection, found: Trace, wanted: TraceFilter = EVERYTHING, depth: int = DEPTH_MAX) -> Trace:
    """The trace, and above the pieces that came from elsewhere what their senders told of them; with the same filter."""
    if found.direction == "forward" or found.cut.more:
        return found
    steps = walk(conn, [found.material_id], True, depth).steps if found.cut else found.edges
    told = find_beyond(conn, found.material_id, steps)
    kinds = {piece.material_id: piece.kind for piece in told.pieces}
    shown = [
        step
        for step in told.steps
        if step.depth <= depth
        and wanted.shows(step, kinds.get(step.parent_id, ""), told.operations.get((step.author, step.operation_id)))
    ]
    if not shown:
        return found
    new = {piece for step in shown for piece in (step.parent_id, step.child_id)} - {r.material_id for r in found.rows}
    return replace(
        found,
        edges=[*found.edges, *shown],
        rows=[*found.rows, *(piece for piece in told.pieces if piece.material_id in new)],
        numbers=found.numbers | {piece: numbers for piece, numbers in told.numbers.items() if piece in new},
        depth=max(found.depth, shown[-1].depth),
        told=told,
    )


def operations_in(conn: Connection, found: Trace) -> dict[tuple[str, str], Any]:
    """The operations of a trace by (author, operation id), those that were told with it too."""
    known = operations_of(conn, [(step.author, step.operation_id) for step in found.edges])
    return {**found.told.operations, **known}


def mixtures_in(conn: Connection, found: Trace) -> dict[str, Mixture]:
    """The heats by interval of a trace's mixed pieces, those that were told with it too."""
    known = mixtures_of(conn, {edge.child_id for edge in found.edges if edge.share_ppm < WHOLE_PPM})
    return {**found.told.mixtures, **known}


def tell_way(conn: Connection, material_id: str) -> Way | None:
    """How a piece was made, as far as this node knows, for the plant that takes it in; None when nothing is known above
    it, or too much."""
    found = with_way(conn, trace(conn, material_id, "backward"))
    if not 0 < len(found.edges) <= EDGES_TOLD:
        return None
    rows: dict[str, Piece] = {}
    for row in found.rows:
        rows.setdefault(row.material_id, row)
    above = [row for piece, row in rows.items() if piece != material_id]
    mixtures = mixtures_in(conn, found)
    return Way(
        pieces=tuple(_told_piece(row, found.numbers) for row in sorted(above, key=lambda row: row.material_id)),
        steps=_told_steps(found, operations_in(conn, found)),
        mixtures=tuple(told for _, told in sorted(mixtures.items())),
    )


def _told_piece(row: Piece, numbers: Mapping[str, list[str]]) -> WayPiece:
    known = dict.fromkeys((row.number, *numbers.get(row.material_id, ())))
    return WayPiece(
        material_id=row.material_id,
        kind=row.kind,
        numbers=tuple(known)[:NUMBERS_TOLD],
        plant=row.author,
        grade=row.grade,
        size=Size(row.thickness_um, row.width_um, row.length_um),
        mass_g=row.mass_g,
        born_at_ms=row.born_at_ms,
    )


def _told_steps(found: Trace, operations: Mapping[tuple[str, str], Any]) -> tuple[WayStep, ...]:
    def key(step: Step) -> tuple[str, str]:
        return step.author, step.operation_id

    told = []
    for (plant, operation_id), group in groupby(sorted(set(found.edges), key=lambda s: (*key(s), s.ordinal)), key=key):
        steps, done = list(group), operations.get((plant, operation_id))
        edges = tuple(_told_edge(step) for step in steps)
        named = (done.operation, done.unit, done.ended_at_ms) if done is not None else ("", "", 0)
        what, unit, ended = (IDENTIFY, "", 0) if steps[0].kind == "identity" else named
        told.append(
            WayStep(plant=plant, operation_id=operation_id, operation=what, unit=unit, ended_at_ms=ended, edges=edges)
        )
    return tuple(told)


def _told_edge(step: Step) -> Edge:
    values = {name: getattr(step, name) for name in Edge.__struct_fields__}
    flips = {name: bool(values[name]) for name in ("flip_length", "flip_width", "flip_face")}
    return Edge(**values | flips)


def names_in(conn: Connection, material_id: str, ids: Sequence[str]) -> dict[str, tuple[str, list[str]]]:
    """Kind and numbers of pieces on the way of a piece, those that only its sender knows too; one of its rows' number first,
    its id where its sender told none."""
    numbers = numbers_of(conn, ids)
    found = {
        row.material_id: (row.kind, list(dict.fromkeys((row.number, *numbers.get(row.material_id, ())))))
        for row in rows_of(conn, ids)
    }
    if set(ids) - set(found):
        told = find_beyond(conn, material_id, walk(conn, [material_id], True).steps)
        found = {p.material_id: (p.kind, told.numbers[p.material_id] or [p.number]) for p in told.pieces} | found
    return found
