"""The genealogy graph: folded by operation, opened on demand, nothing on top of anything else, quick at thousands of pieces."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any

from shared.material.trace import Trace
from shared.material.walk import Step
from shared.web.pieces.drawing import BOX_H, BOX_W, WIDTH, draw
from shared.web.pieces.graph import OPEN_MAX, build


def step(operation: str, parent: str, child: str, share: int = 1_000_000) -> Step:
    return Step("P", operation, 0, "transform", parent, child, *(0,) * 8, 1, share, False, False, False, 1)


def group(heats: int, slabs: int, slits: int) -> tuple[Trace, dict[tuple[str, str], Any]]:
    """Heats, slabs of each, one coil of each slab, slits of each coil; the first slab of a heat holds the heat before."""
    edges, rows, operations = [], [], {}

    def piece(name: str, kind: str) -> None:
        rows.append(SimpleNamespace(material_id=name, number=name, kind=kind, author="P", mass_g=1_000_000))

    def make(operation: str, unit: str, parent: str, child: str, share: int = 1_000_000) -> None:
        edges.append(step(f"{operation}-{child}", parent, child, share))
        operations["P", f"{operation}-{child}"] = SimpleNamespace(author="P", operation=operation, unit=unit)

    for h in range(heats):
        piece(f"H{h}", "heat")
        for s in range(slabs):
            slab, coil = f"S{h}.{s:02}", f"C{h}.{s:02}"
            piece(slab, "slab")
            piece(coil, "coil")
            make("cast", "CC1", f"H{h}", slab, 700_000 if h and not s else 1_000_000)
            if h and not s:
                edges.append(step(f"cast-{slab}", f"H{h - 1}", slab, 300_000))
            make("roll", "FM", slab, coil)
            for n in range(slits):
                piece(f"{coil}-{n}", "slit")
                make("slit", "SL1", coil, f"{coil}-{n}")
    return Trace("C0.01", "both", edges, rows), operations


def test_two_thousand_pieces_are_a_few_boxes_and_quick() -> None:
    trace, operations = group(heats=10, slabs=16, slits=11)
    begun = time.process_time()
    graph = build(trace, operations, {"S1.01", "S2.02"})
    drawing = draw(graph)
    spent = time.process_time() - begun
    assert graph.pieces == 2_090
    assert len(graph.boxes) <= 12
    assert sum(len(box.ids) for box in graph.boxes) == 2_090
    slabs = next(box for box in graph.boxes if box.made.operation == "cast" and box.folded)
    assert (len(slabs.ids), slabs.held, slabs.mass_g) == (160, 2, 160_000_000)
    assert [box.ids for box in graph.boxes if box.chosen] == [("C0.01",)]
    assert spent < 1.0  # 0.02 s on an idle machine
    assert drawing.height < 1_000


def test_what_is_opened_is_drawn_piece_by_piece_up_to_a_limit_and_nothing_overlaps() -> None:
    trace, operations = group(heats=2, slabs=30, slits=2)
    folded = build(trace, operations, set())
    code = next(box.code for box in folded.boxes if box.made.operation == "cast" and box.folded)
    graph = build(trace, operations, set(), [code])
    single = [box for box in graph.boxes if box.made.operation == "cast" and not box.folded]
    rest = [box for box in graph.boxes if box.made.operation == "cast" and box.folded]
    assert (len(single), [len(box.ids) for box in rest]) == (OPEN_MAX, [60 - OPEN_MAX])
    drawing = draw(graph)
    spots = sorted((placed.x, placed.y) for placed in drawing.boxes)
    assert all(0 <= x <= WIDTH - BOX_W and 0 <= y <= drawing.height - BOX_H for x, y in spots)
    for n, (x, y) in enumerate(spots):
        assert not [o for o in spots[n + 1 :] if abs(o[0] - x) < BOX_W and abs(o[1] - y) < BOX_H]
    layer = {placed.box.ids[0]: placed.y for placed in drawing.boxes}
    assert layer["H0"] < layer["S0.00"]
    labels = {line.label for line in drawing.lines}
    assert "30 %" in labels
    assert "70 %" in labels
