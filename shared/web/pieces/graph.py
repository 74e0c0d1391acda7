"""The genealogy as a graph by layers, folded by operation: what the same unit made in the same step is one box until it is
opened. A whole trace of thousands of pieces then is a picture of a few dozen boxes. Pure; drawing.py makes the picture.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shared.material.trace import Trace

ALONE_MAX = 4
"""So many pieces of one operation are shown each for itself without being asked for."""
OPEN_MAX = 48
"""Pieces of one opened operation that are drawn; the others stay one box, and the tables name them all."""


@dataclass(frozen=True, slots=True)
class Link:
    """From parent to child, with the share of the child that comes from this parent."""

    parent: str
    child: str
    share_ppm: int


@dataclass(frozen=True, slots=True)
class Made:
    """What makes pieces alike: the layer, who made them at which unit by which operation (all empty: not made here)."""

    layer: int
    author: str
    operation: str
    unit: str
    kind: str

    @property
    def code(self) -> str:
        """Short and the same each time: names the box in an address."""
        text = "|".join((str(self.layer), self.author, self.operation, self.unit, self.kind))
        return hashlib.sha256(text.encode()).hexdigest()[:8]


@dataclass(frozen=True, slots=True)
class Box:
    """One box of the graph: a piece, or pieces that one operation made. code: how a folded box is opened."""

    ids: Sequence[str]
    made: Made
    rows: Sequence[Any]
    folded: bool
    held: int
    chosen: bool
    code: str
    opened: bool = False

    @property
    def mass_g(self) -> int:
        """Of all its pieces."""
        return sum(row.mass_g for row in self.rows)


@dataclass(frozen=True, slots=True)
class Graph:
    """Boxes by layer, and between them how many links of pieces (count) with the least share of a child."""

    boxes: Sequence[Box]
    joins: Mapping[tuple[int, int], tuple[int, int]]
    """(parent box, child box) -> (links, share of the child in ppm)."""
    pieces: int


def first_rows(rows: Iterable[Any]) -> dict[str, Any]:
    """One row a piece: the rows come with the holder's first."""
    found: dict[str, Any] = {}
    for row in rows:
        found.setdefault(row.material_id, row)
    return found


def links_of(trace: Trace) -> list[Link]:
    """One link for each pair of pieces, however many intervals join them."""
    shares: dict[tuple[str, str], int] = defaultdict(int)
    for edge in trace.edges:
        if edge.kind == "transform":
            shares[(edge.parent_id, edge.child_id)] += edge.share_ppm
    return [Link(parent, child, min(share, 1_000_000)) for (parent, child), share in sorted(shares.items())]


def build(
    trace: Trace, operations: Mapping[tuple[str, str], Any], held: Collection[str], opened: Collection[str] = ()
) -> Graph:
    """The graph of a trace; opened: codes of boxes that are to be shown piece by piece."""
    rows, links = first_rows(trace.rows), links_of(trace)
    ids = {trace.material_id} | {i for link in links for i in (link.parent, link.child)}
    layers = _layers(ids, links)
    doers = _doers(trace, operations)
    groups: dict[Made, list[str]] = defaultdict(list)
    for piece in sorted(ids, key=lambda i: (rows[i].number if i in rows else "", i)):
        groups[_made(piece, layers[piece], doers.get(piece), rows.get(piece))].append(piece)
    boxes = [
        box
        for made, members in sorted(groups.items(), key=lambda item: (item[0].layer, item[1][0]))
        for box in _boxes(made, members, rows, frozenset(held), trace.material_id, made.code in opened)
    ]
    at = {piece: n for n, box in enumerate(boxes) for piece in box.ids}
    joins: dict[tuple[int, int], tuple[int, int]] = {}
    for link in links:
        key = at[link.parent], at[link.child]
        count, share = joins.get(key, (0, 1_000_000))
        joins[key] = (count + 1, min(share, link.share_ppm))
    return Graph(boxes, joins, len(ids))


def _layers(ids: Collection[str], links: Sequence[Link]) -> dict[str, int]:
    """The longest way from something without parents; every link then goes down."""
    children: dict[str, list[str]] = defaultdict(list)
    waits: dict[str, int] = dict.fromkeys(ids, 0)
    for link in links:
        children[link.parent].append(link.child)
        waits[link.child] += 1
    found = dict.fromkeys(ids, 0)
    ready = sorted(piece for piece, count in waits.items() if not count)
    while ready:
        piece = ready.pop()
        for child in children[piece]:
            found[child] = max(found[child], found[piece] + 1)
            waits[child] -= 1
            if not waits[child]:
                ready.append(child)
    return found


def _doers(trace: Trace, operations: Mapping[tuple[str, str], Any]) -> dict[str, Any]:
    """Piece -> the operation that made it; the first of several, by its id."""
    found: dict[str, Any] = {}
    for edge in sorted(trace.edges, key=lambda one: (one.operation_id, one.author)):
        done = operations.get((edge.author, edge.operation_id))
        if edge.kind == "transform" and done is not None:
            found.setdefault(edge.child_id, done)
    return found


def _made(piece: str, layer: int, done: Any, row: Any) -> Made:
    kind = row.kind if row is not None else "piece"
    if done is not None:
        return Made(layer, done.author, done.operation, done.unit, kind)
    return Made(layer, row.author if row is not None else "", "", "", kind)


def _boxes(
    made: Made, members: Sequence[str], rows: Mapping[str, Any], held: frozenset[str], chosen: str, opened: bool
) -> list[Box]:
    def box(ids: Sequence[str], folded: bool) -> Box:
        known = [rows[i] for i in ids if i in rows]
        return Box(ids, made, known, folded, sum(i in held for i in ids), chosen in ids, made.code, opened)

    if len(members) <= ALONE_MAX:
        return [box((piece,), False) for piece in members]
    if not opened:
        rest = [piece for piece in members if piece != chosen]
        return [*([box((chosen,), False)] if chosen in members else []), box(rest, True)]
    first = sorted(members, key=lambda piece: (piece != chosen, members.index(piece)))[:OPEN_MAX]
    rest = [piece for piece in members if piece not in set(first)]
    shown = [box((piece,), False) for piece in first]
    return [*shown, box(rest, True)] if rest else shown
