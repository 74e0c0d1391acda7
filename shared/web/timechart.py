"""Figures over time as a picture: steps over equal bins, zero at the foot, hatched where there is no data.

Pure geometry: bins in, coordinates out (in units of the SVG's view box, which is near its size on the screen, so that
text keeps its size). The template `timechart.html` draws it; the table behind it stands beside it on the page.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from math import ceil, floor, log10

from shared.clock import to_ms
from shared.web.formats import MONTHS, local

WIDTH, HEIGHT = 520.0, 132.0
"""Half the width of a page; a picture over the whole width is drawn twice as wide, so that its text is as large. On a
smaller page the style sheet enlarges the text by the width of its frame."""
LEFT, RIGHT, TOP, FOOT = 46.0, 10.0, 10.0, 20.0
STRIP_H = 30.0
"""Height of the band that shows whether a line was up."""
LEAST_DOWN_H = 5.0
"""A short outage must still be seen."""
HOUR_MS, DAY_MS = 3_600_000, 86_400_000
NICE = (1, 2, 2.5, 5, 10)


@dataclass(frozen=True)
class Bin:
    """A stretch of time and its figure; None where there is no data."""

    from_ms: int
    to_ms: int
    value: float | None


@dataclass(frozen=True)
class Box:
    """A rectangle of the picture."""

    x: float
    y: float
    w: float
    h: float
    title: str = ""


@dataclass(frozen=True)
class Chart:
    """What the template draws."""

    width: float
    height: float
    foot: float
    left: float
    lines: Sequence[str]
    areas: Sequence[str]
    gaps: Sequence[Box]
    downs: Sequence[Box]
    y_ticks: Sequence[tuple[float, str]]
    x_ticks: Sequence[tuple[float, str]]
    target_y: float | None = None

    @property
    def right(self) -> float:
        """Where the axis ends."""
        return self.width - RIGHT


@dataclass(frozen=True)
class _Axis:
    """Places along the time axis."""

    from_ms: int
    to_ms: int
    left: float
    right: float

    def x(self, at_ms: int) -> float:
        return round(self.left + (self.right - self.left) * (at_ms - self.from_ms) / (self.to_ms - self.from_ms), 1)


def draw(
    bins: Sequence[Bin], zone: str, show: Callable[[float], str], *, target: float | None = None, least: float = 1.0
) -> Chart:
    """A figure with its axis. target is a line across; least the smallest top of the axis, so that noise stays small."""
    top = nice(max([least, target or 0.0, *(b.value for b in bins if b.value is not None)]))
    foot, axis = HEIGHT - FOOT, _axis(bins, LEFT, WIDTH)

    def y(value: float) -> float:
        return round(foot - (foot - TOP) * min(value, top) / top, 1)

    runs = _runs(bins)
    lines = [_steps(run, axis, y) for run in runs]
    areas = [
        f"M{axis.x(run[0].from_ms)} {foot}L{line[1:]}L{axis.x(run[-1].to_ms)} {foot}Z"
        for run, line in zip(runs, lines, strict=True)
    ]
    ticks = [(y(top * part), show(top * part)) for part in (0.0, 0.5, 1.0)]
    gaps = _gaps(bins, axis, TOP, foot - TOP)
    across = None if target is None else y(target)
    return Chart(WIDTH, HEIGHT, foot, LEFT, lines, areas, gaps, (), ticks, _x_ticks(axis, zone), across)


def draw_strip(bins: Sequence[Bin], zone: str, tell: Callable[[Bin], str], *, width: float = WIDTH) -> Chart:
    """Shares of up time (0 to 1) as a band: quiet where all was up, notched from above by what was down.

    Narrower than half a page it is a spark: without the times below.
    """
    spark = width < WIDTH
    axis = _axis(bins, RIGHT, width)
    foot = TOP + STRIP_H
    downs = []
    for b in bins:
        if b.value is not None and b.value < 1:
            x, h = axis.x(b.from_ms), max(LEAST_DOWN_H, STRIP_H * (1 - b.value))
            downs.append(Box(x, TOP, max(1.5, round(axis.x(b.to_ms) - x, 1)), round(h, 1), tell(b)))
    areas = [
        f"M{axis.x(run[0].from_ms)} {TOP}H{axis.x(run[-1].to_ms)}V{foot}H{axis.x(run[0].from_ms)}Z"
        for run in _runs(bins)
    ]
    ticks = [] if spark else _x_ticks(axis, zone)
    height = foot + (TOP if spark else FOOT)
    return Chart(width, height, foot, RIGHT, (), areas, _gaps(bins, axis, TOP, STRIP_H), downs, (), ticks)


def nice(value: float) -> float:
    """The next round number, so that an axis ends on one."""
    size = 10.0 ** floor(log10(value))
    return next(step * size for step in NICE if step * size >= value * (1 - 1e-9))


def _axis(bins: Sequence[Bin], left: float, width: float) -> _Axis:
    return _Axis(bins[0].from_ms, bins[-1].to_ms, left, width - RIGHT)


def _x_ticks(axis: _Axis, zone: str) -> list[tuple[float, str]]:
    """Round local times below the axis: hours within two days, dates beyond."""
    by_hour = axis.to_ms - axis.from_ms <= 2 * DAY_MS
    step = timedelta(hours=4) if by_hour else timedelta(days=5)
    at = local(axis.from_ms, zone).replace(minute=0, second=0, microsecond=0)
    at = at.replace(hour=ceil(at.hour / 4) * 4 % 24) if by_hour else at.replace(hour=0)
    ticks = []
    while to_ms(at) <= axis.to_ms:
        if to_ms(at) >= axis.from_ms:
            ticks.append((axis.x(to_ms(at)), f"{at:%H:%M}" if by_hour else f"{at.day} {MONTHS[at.month - 1]}"))
        at += step
    return [(x, text) for x, text in ticks if axis.left + 8 <= x <= axis.right - 16]


def _runs(bins: Sequence[Bin]) -> list[list[Bin]]:
    """Bins with data that follow each other."""
    runs: list[list[Bin]] = []
    before: Bin | None = None
    for b in bins:
        if b.value is not None:
            if before is None or before.value is None:
                runs.append([])
            runs[-1].append(b)
        before = b
    return runs


def _gaps(bins: Sequence[Bin], axis: _Axis, y: float, h: float) -> list[Box]:
    boxes: list[Box] = []
    before_was_gap = False
    for b in bins:
        x, end = axis.x(b.from_ms), axis.x(b.to_ms)
        if b.value is None and before_was_gap:
            boxes[-1] = Box(boxes[-1].x, y, round(end - boxes[-1].x, 1), h)
        elif b.value is None:
            boxes.append(Box(x, y, round(end - x, 1), h))
        before_was_gap = b.value is None
    return boxes


def _steps(run: Sequence[Bin], axis: _Axis, y: Callable[[float], float]) -> str:
    parts: list[str] = []
    for b in run:
        parts.append(f"{'L' if parts else 'M'}{axis.x(b.from_ms)} {y(b.value or 0.0)}H{axis.x(b.to_ms)}")
    return "".join(parts)
