"""The picture of a yard: each row from the side, its stacks with their layers, to scale along the row. Pure geometry.

Rows in, rectangles out, in the units of an SVG whose view box is WIDTH wide.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from local_mes.model.domain import Storage
from local_mes.stock.yard_domain import Lying, hours, thermal
from local_mes.stock.yard_reads import Yard

WIDTH, LEFT = 1200.0, 64.0
LAYER, LEAST_LAYERS, FOOT, HEAD = 18.0, 3, 26.0, 12.0
"""Heights: one layer, the fewest layers a row is drawn for, the stack's number below it, the air above it."""
LEAST_W = 10.0
LETTER = 6.2
"""Width of a letter of the numbers in the picture."""
STATE_WORDS = {"hot": "hot", "cooling": "cooling", "unknown": "age unknown", "cold": "cold", "": ""}
SIGNS = {"hot": "H", "cooling": "C", "unknown": "?"}


@dataclass(frozen=True, slots=True)
class Box:
    """One piece. state: hot | cooling | unknown | plain; a held piece carries the padlock beside it."""

    x: float
    y: float
    w: float
    number: str
    shown: str
    state: str
    sign: str
    held: bool
    chosen: bool
    title: str


@dataclass(frozen=True, slots=True)
class Ground:
    """The place of one stack: what is chosen by a touch, with how many pieces lie there."""

    row: int
    stack: int
    x: float
    w: float
    count: int
    faulty: bool
    chosen: bool
    words: str


@dataclass(frozen=True, slots=True)
class RowBand:
    """One row of the yard. y: top of its air; floor: where the lowest layer stands."""

    row: int
    y: float
    floor: float
    hot: bool
    grounds: Sequence[Ground]
    boxes: Sequence[Box]


@dataclass(frozen=True, slots=True)
class Picture:
    """All rows and the height of the view box."""

    rows: Sequence[RowBand]
    height: float


def draw(yard: Yard, now_ms: int, chosen: tuple[int, int] | None = None, pieces: Collection[str] = ()) -> Picture:
    """The yard's rows, one under the other. chosen: row and stack; pieces: ids to be shown as found."""
    bands, y = [], 0.0
    rules = yard.rules
    tall = {row: LEAST_LAYERS for row in range(1, rules.rows + 1)}
    for stack in yard.stacks:
        tall[stack.spot.row] = max(tall.get(stack.spot.row, LEAST_LAYERS), len(stack.pieces))
    for row in sorted(tall):
        floor = y + HEAD + tall[row] * LAYER
        bands.append(_row(yard, row, y, floor, now_ms, chosen, pieces))
        y = floor + FOOT
    return Picture(bands, y)


def _row(
    yard: Yard,
    row: int,
    y: float,
    floor: float,
    now_ms: int,
    chosen: tuple[int, int] | None,
    pieces: Collection[str],
) -> RowBand:
    rules = yard.rules
    last = max([rules.stacks, *(one.spot.stack for one in yard.stacks if one.spot.row == row)])
    pitch = (WIDTH - LEFT) / last
    grounds, boxes = [], []
    for n in range(1, last + 1):
        stack, x = yard.find_stack(row, n), LEFT + (n - 1) * pitch
        lying = stack.pieces if stack else ()
        faults = "; ".join(one.text for one in stack.faults) if stack else ""
        words = f"Stack {row}-{n}: {len(lying)} pieces" + (f". Attention: {faults}" if faults else "")
        grounds.append(Ground(row, n, x, pitch, len(lying), bool(faults), chosen == (row, n), words))
        boxes += [
            _box(piece, layer, x, floor, pitch, rules, now_ms, piece.material_id in pieces)
            for layer, piece in enumerate(lying)
        ]
    return RowBand(row, y, floor, row in rules.hot_rows, grounds, boxes)


def _box(
    piece: Lying, layer: int, x: float, floor: float, pitch: float, rules: Storage, now_ms: int, chosen: bool
) -> Box:
    along_um = piece.length_um if piece.kind == "slab" else piece.width_um
    room = pitch - 4
    w = min(room, max(LEAST_W, room * along_um / (rules.stack_mm * 1000))) if along_um else room
    state = thermal(piece, rules, now_ms)
    letters = int((w - 16) / LETTER)
    shown = piece.number if letters >= len(piece.number) else piece.number[-letters:] if letters >= 3 else ""
    between = pitch / 2 * layer if rules.between else 0.0  # an upper layer lies on two stacks
    return Box(
        x=min(x + between + (pitch - w) / 2, WIDTH - w),
        y=floor - (layer + 1) * LAYER,
        w=w,
        number=piece.number,
        shown=shown,
        state=state if state in SIGNS else "plain",
        sign=SIGNS.get(state, ""),
        held=piece.held,
        chosen=chosen,
        title=_title(piece, layer + 1, state, now_ms),
    )


def _title(piece: Lying, layer: int, state: str, now_ms: int) -> str:
    age = hours(piece, now_ms)
    parts = [
        f"{piece.kind} {piece.number}",
        f"layer {layer}",
        f"{piece.mass_g / 1_000_000:,.1f} t",
        piece.grade,
        f"order {piece.order_item}" if piece.order_item else "",
        STATE_WORDS[state] + (f", {age:.1f} h" if age is not None and state else ""),
        "held" if piece.held else "",
    ]
    return ", ".join(part for part in parts if part)
