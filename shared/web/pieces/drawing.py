"""Where the boxes of a genealogy graph stand, in the units of an SVG whose view box is WIDTH wide. Pure geometry."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from shared.web.pieces.graph import Box, Graph

WIDTH, BOX_W, BOX_H = 1200.0, 178.0, 46.0
GAP_X, GAP_Y, LAYER_GAP = 20.0, 12.0, 44.0
A_ROW = int((WIDTH + GAP_X) // (BOX_W + GAP_X))


@dataclass(frozen=True, slots=True)
class Placed:
    """A box with its upper left corner."""

    box: Box
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Line:
    """A link as an SVG path, with what is said of it: the share of the child, or how many links it stands for."""

    path: str
    x: float
    y: float
    label: str


@dataclass(frozen=True, slots=True)
class Drawing:
    """All of it, and the height of the view box."""

    boxes: Sequence[Placed]
    lines: Sequence[Line]
    height: float


def draw(graph: Graph) -> Drawing:
    """Layers one under the other; within a layer a box stands where its parents do, rows of six."""
    above: dict[int, list[int]] = defaultdict(list)
    for parent, child in graph.joins:
        above[child].append(parent)
    layers: dict[int, list[int]] = defaultdict(list)
    for n, box in enumerate(graph.boxes):
        layers[box.made.layer].append(n)
    spots: dict[int, tuple[float, float]] = {}
    y = 2.0
    for layer in sorted(layers):
        order = sorted(layers[layer], key=lambda n: (_middle(above[n], spots), n))
        for at in range(0, len(order), A_ROW):
            y = _row(order[at : at + A_ROW], y, spots)
        y += LAYER_GAP - GAP_Y
    placed = [Placed(box, *spots[n]) for n, box in enumerate(graph.boxes)]
    lines = [_line(graph, key, spots) for key in sorted(graph.joins)]
    return Drawing(placed, lines, max(y - LAYER_GAP + GAP_Y, BOX_H) + 2)


def _middle(parents: Sequence[int], spots: dict[int, tuple[float, float]]) -> float:
    known = [spots[parent][0] for parent in parents if parent in spots]
    return sum(known) / len(known) if known else WIDTH / 2


def _row(order: Sequence[int], y: float, spots: dict[int, tuple[float, float]]) -> float:
    """Place a row in the middle; returns where the next one begins."""
    wide = len(order) * (BOX_W + GAP_X) - GAP_X
    x = (WIDTH - wide) / 2
    for n in order:
        spots[n] = (x, y)
        x += BOX_W + GAP_X
    return y + BOX_H + GAP_Y


def _line(graph: Graph, key: tuple[int, int], spots: dict[int, tuple[float, float]]) -> Line:
    (px, py), (cx, cy) = spots[key[0]], spots[key[1]]
    x1, y1, x2, y2 = px + BOX_W / 2, py + BOX_H, cx + BOX_W / 2, cy
    bend = (y2 - y1) / 2
    path = f"M{x1:.1f} {y1:.1f}C{x1:.1f} {y1 + bend:.1f} {x2:.1f} {y2 - bend:.1f} {x2:.1f} {y2:.1f}"
    return Line(path, (x1 + x2) / 2, (y1 + y2) / 2 + 4, _label(graph, key))


def _label(graph: Graph, key: tuple[int, int]) -> str:
    count, share_ppm = graph.joins[key]
    if graph.boxes[key[0]].folded or graph.boxes[key[1]].folded:
        return f"{count:,}" if count > 1 else ""
    return "" if share_ppm >= 999_500 else f"{share_ppm / 10_000:.0f} %"
