"""The strip to scale: a piece and what it came from as bars, with intervals, marks and one place carried through.

Pure geometry: rows in, rectangles out (in the units of the SVG's view box). Each bar is drawn to its own length,
because a slab of nine metres and a coil of two thousand share no scale; heights share one scale of width.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

BAR_X, BAR_W = 4.0, 992.0
TALLEST = 64.0
"""Height of the widest piece; the others are drawn in proportion."""
LEAST_H, LEAST_W = 10.0, 2.5
"""Thin enough to be honest, thick enough to be seen and hit."""
TEXT_H, AXIS_H, GAP = 22.0, 18.0, 16.0
STEEL_H = 14.0
"""The ribbon above a bar that shows its heats."""
SPOT_MAX = 0.9
"""A mark over more of the width than this is one over the whole width."""
HEAT_COLOURS = 4
"""Then they begin again: heats of one colour are four ladles apart."""
TICKS = (1, 2, 5)


@dataclass(frozen=True, slots=True)
class Rect:
    """A rectangle of the picture. kind: interval | mark | defect | child; href makes it a link."""

    kind: str
    x: float
    y: float
    w: float
    h: float
    title: str = ""
    href: str = ""
    label: str = ""


@dataclass(frozen=True, slots=True)
class Spot:
    """A place on a piece: um from the head, um from the left edge or None for the whole width."""

    at_um: int
    left_um: int | None = None


@dataclass(frozen=True, slots=True)
class Steel:
    """An interval of a piece in um with the heats it is made of: (place in the legend, ppm), in the legend's order."""

    from_um: int
    to_um: int
    heats: Sequence[tuple[int, int]]
    title: str = ""


@dataclass(frozen=True, slots=True)
class Drawn:
    """What is drawn of one piece: its size and the rectangles in um; parts are (kind, from, to, left, right, …)."""

    material_id: str
    number: str
    length_um: int
    width_um: int
    parts: Sequence[Part] = ()
    spots: Sequence[Spot] = ()
    steel: Sequence[Steel] = ()


@dataclass(frozen=True, slots=True)
class Part:
    """An interval of a piece in um; left == right means the whole width."""

    kind: str
    from_um: int
    to_um: int
    left_um: int = 0
    right_um: int = 0
    title: str = ""
    href: str = ""
    label: str = ""


@dataclass(frozen=True, slots=True)
class Bar:
    """One piece in the picture."""

    material_id: str
    number: str
    y: float
    h: float
    length_um: int
    width_um: int
    rects: Sequence[Rect]
    ticks: Sequence[tuple[float, str]]
    spots: Sequence[tuple[float, float, float]] = field(default_factory=tuple)
    """x, and y range of the chosen place."""
    steel: Sequence[Rect] = ()
    """The ribbon of heats above the body, each interval filled from below by share."""

    @property
    def text_y(self) -> float:
        """Base line of the words above it."""
        return self.y - 7 - (STEEL_H if self.steel else 0)

    @property
    def bottom(self) -> float:
        """Lower edge of the body."""
        return self.y + self.h


@dataclass(frozen=True, slots=True)
class Picture:
    """All bars and the height of the view box (its width is 1000)."""

    bars: Sequence[Bar]
    height: float


def draw(pieces: Sequence[Drawn]) -> Picture:
    """Bars one under the other, in the order given; pieces without length (heats) are left to the table."""
    drawable = [piece for piece in pieces if piece.length_um > 0]
    widest = max((piece.width_um for piece in drawable), default=0)
    bars, y = [], 0.0
    for piece in drawable:
        h = max(LEAST_H, TALLEST * piece.width_um / widest) if widest else LEAST_H * 2
        y += TEXT_H + (STEEL_H if piece.steel else 0)
        bars.append(_bar(piece, y, h))
        y += h + AXIS_H + GAP
    return Picture(bars, max(y - GAP, 1.0))


def _bar(piece: Drawn, y: float, h: float) -> Bar:
    rects = [_rect(piece, part, y, h) for part in piece.parts]
    spots = [_spot(piece, spot, y, h) for spot in piece.spots if 0 <= spot.at_um <= piece.length_um]
    ribbon = [rect for part in piece.steel for rect in _ribbon(piece, part, y)]
    scale = ticks(piece.length_um)
    return Bar(piece.material_id, piece.number, y, h, piece.length_um, piece.width_um, rects, scale, spots, ribbon)


def _ribbon(piece: Drawn, part: Steel, y: float) -> list[Rect]:
    x, w = along(piece, part.from_um), along(piece, part.to_um) - along(piece, part.from_um)
    rects, bottom = [], y - 2
    for place, ppm in part.heats:
        h = (STEEL_H - 3) * ppm / 1_000_000
        rects.append(Rect(f"heat-{place % HEAT_COLOURS}", x, bottom - h, w, h, part.title))
        bottom -= h
    return rects


def _rect(piece: Drawn, part: Part, y: float, h: float) -> Rect:
    x, w = along(piece, part.from_um), along(piece, part.to_um) - along(piece, part.from_um)
    top, tall = y, h
    if part.right_um > part.left_um and piece.width_um:
        top = y + h * part.left_um / piece.width_um
        tall = h * (part.right_um - part.left_um) / piece.width_um
    if w < LEAST_W:
        x, w = x - (LEAST_W - w) / 2, LEAST_W
    return Rect(part.kind, x, top, w, max(tall, LEAST_W), part.title, part.href, part.label)


def _spot(piece: Drawn, spot: Spot, y: float, h: float) -> tuple[float, float, float]:
    x = along(piece, spot.at_um)
    if spot.left_um is None or not piece.width_um:
        return x, y, y + h
    middle = y + h * min(max(spot.left_um, 0), piece.width_um) / piece.width_um
    return x, middle, middle


def along(piece: Drawn, at_um: int) -> float:
    """Position in the picture of a distance from the head; outside places stick to the ends."""
    return BAR_X + BAR_W * min(max(at_um, 0), piece.length_um) / piece.length_um


def ticks(length_um: int) -> list[tuple[float, str]]:
    """Round metres along a bar, about ten of them, and its true end."""
    metres = length_um / 1_000_000
    step = tick_step(metres)
    count = int(metres / step)
    marks = [(BAR_X + BAR_W * i * step / metres, f"{i * step:,g}") for i in range(count + 1)]
    end = f"{metres:,.1f} m" if metres >= 100 else f"{metres:.2f} m"
    kept = [(x, text) for x, text in marks if x < BAR_X + BAR_W - 70]
    return [*kept, (BAR_X + BAR_W, end)]


def tick_step(metres: float) -> float:
    """A step of 1, 2 or 5 times a power of ten that gives at most ten marks."""
    power = 10.0 ** (len(str(int(metres))) - 2) if metres >= 1 else 0.1
    for factor in (*TICKS, 10):
        if metres / (factor * power) <= 10:
            return factor * power
    return 10 * power


def parts_of_marks(marks: Sequence[Any], hrefs: Mapping[str, str], width_um: int) -> list[Part]:
    """Marks as parts: a spot of the surface is a finding, what goes over the width is a mark on an interval."""
    return [
        Part(
            "defect" if is_spot(mark, width_um) else "mark",
            mark.from_um,
            mark.to_um,
            mark.left_um,
            mark.right_um,
            _mark_words(mark),
            hrefs.get(mark.mark_id, ""),
        )
        for mark in marks
    ]


def is_spot(mark: Any, width_um: int) -> bool:
    """Whether a mark says where across the piece it lies, and not just everywhere."""
    across_um = int(mark.right_um - mark.left_um)
    return 0 < across_um < width_um * SPOT_MAX


def _mark_words(mark: Any) -> str:
    where = f"{mark.from_um / 1e6:,.2f} to {mark.to_um / 1e6:,.2f} m"
    words = f"{mark.kind.replace('_', ' ')} {mark.text}".strip()
    return f"{words}, {where}" + (f" ({mark.rule})" if mark.rule else "")
