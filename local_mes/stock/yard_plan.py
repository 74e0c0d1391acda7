"""All storages of a plant from above: rows and stacks as a grid, how full each stack is, what is hot, held, against a rule.

Pure geometry, in the units of an SVG whose view box is WIDTH wide.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from local_mes.stock.yard_domain import thermal
from local_mes.stock.yard_reads import Stack, Yard

WIDTH, LEFT, CELL_H, FOOT = 600.0, 44.0, 30.0, 20.0
WARMEST = ("hot", "cooling", "unknown", "cold", "")
STATES = {"hot": "hot", "cooling": "cooling", "unknown": "unknown"}


@dataclass(frozen=True, slots=True)
class Cell:
    """One stack from above. filled_w: how much of its width is covered, by layers; state: of its warmest piece."""

    row: int
    stack: int
    x: float
    y: float
    w: float
    filled_w: float
    count: int
    state: str
    held: int
    faulty: bool
    found: bool
    words: str


@dataclass(frozen=True, slots=True)
class Plan:
    """One storage from above; rows from the top."""

    yard: Yard
    cells: Sequence[Cell]
    rows: Sequence[tuple[int, float]]
    stacks: Sequence[tuple[int, float]]
    """Names of rows and stacks with where they are written."""
    height: float


def draw_plan(yard: Yard, now_ms: int, found: Collection[str] = ()) -> Plan:
    """A storage from above. found: ids of pieces that are looked for."""
    rules = yard.rules
    last_row = max([rules.rows, *(one.spot.row for one in yard.stacks)])
    last = max([rules.stacks, *(one.spot.stack for one in yard.stacks)])
    pitch = (WIDTH - LEFT) / last
    cells = [
        _cell(yard, row, n, LEFT + (n - 1) * pitch, pitch, now_ms, found)
        for row in range(1, last_row + 1)
        for n in range(1, last + 1)
    ]
    rows = [(row, (row - 1) * CELL_H + 20) for row in range(1, last_row + 1)]
    stacks = [(n, LEFT + (n - 0.5) * pitch) for n in range(1, last + 1)]
    return Plan(yard, cells, rows, stacks, last_row * CELL_H + FOOT)


def _cell(yard: Yard, row: int, n: int, x: float, pitch: float, now_ms: int, found: Collection[str]) -> Cell:
    stack, w = yard.find_stack(row, n), pitch - 3
    lying = stack.pieces if stack else ()
    warmth = {thermal(piece, yard.rules, now_ms) for piece in lying}
    warmest = next((state for state in WARMEST if state in warmth), "")
    return Cell(
        row=row,
        stack=n,
        x=x + 1.5,
        y=(row - 1) * CELL_H + 2,
        w=w,
        filled_w=w * min(1.0, len(lying) / yard.rules.max_layers),
        count=len(lying),
        state=STATES.get(warmest, "plain"),
        held=sum(piece.held for piece in lying),
        faulty=bool(stack and stack.faults),
        found=any(piece.material_id in found for piece in lying),
        words=_words(yard, row, n, stack, warmest),
    )


def _words(yard: Yard, row: int, n: int, stack: Stack | None, warmest: str) -> str:
    if stack is None:
        return f"{yard.rules.code}-{row}-{n}: empty"
    held = sum(piece.held for piece in stack.pieces)
    parts = [
        f"{stack.spot.text}: {len(stack.pieces)} of {yard.rules.max_layers} layers",
        f"{stack.mass_g / 1e6:,.1f} t",
        f"on top {stack.pieces[-1].number}",
        warmest if warmest in STATES else "",
        f"{held} held" if held else "",
        *(fault.text for fault in stack.faults),
    ]
    return ", ".join(part for part in parts if part)
