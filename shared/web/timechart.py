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

    height: float
    foot: float
    lines: Sequence[str]
    areas: Sequence[str]
    gaps: Sequence[Box]
    downs: Sequence[Box]
    y_ticks: Sequence[tuple[float, str]]
    x_ticks: Sequence[tuple[float, str]]
    target_y: float | None = None


def draw(
    bins: Sequence[Bin], zone: str, show: Callable[[float], str], *, target: float | None = None, least: float = 1.0
) -> Chart:
    """A figure with its axis. target is a line across; least the smallest top of the axis, so that noise stays small."""
    top = nice(max([least, target or 0.0, *(b.value for b in bins if b.value is not None)]))
    foot = HEIGHT - FOOT

    def y(value: float) -> float:
        return round(foot - (foot - TOP) * min(value, top) / top, 1)

    runs = _runs(bins)
    lines = [_steps(run, bins, y) for run in runs]
    areas = [
        f"M{_x(run[0].from_ms, bins)} {foot}L{line[1:]}L{_x(run[-1].to_ms, bins)} {foot}Z"
        for run, line in zip(runs, lines, strict=True)
    ]
    ticks = [(y(top * part), show(top * part)) for part in (0.0, 0.5, 1.0)]
    gaps = _gaps(bins, TOP, foot - TOP)
    return Chart(
        HEIGHT, foot, lines, areas, gaps, (), ticks, x_ticks(bins, zone), None if target is None else y(target)
    )


def draw_strip(bins: Sequence[Bin], zone: str, tell: Callable[[Bin], str]) -> Chart:
    """Shares of up time (0 to 1) as a band: quiet where all was up, notched from above by what was down."""
    foot = TOP + STRIP_H
    downs = []
    for b in bins:
        if b.value is not None and b.value < 1:
            x = _x(b.from_ms, bins)
            h = max(LEAST_DOWN_H, STRIP_H * (1 - b.value))
            downs.append(Box(x, TOP, max(1.5, round(_x(b.to_ms, bins) - x, 1)), round(h, 1), tell(b)))
    areas = [
        f"M{_x(run[0].from_ms, bins)} {TOP}H{_x(run[-1].to_ms, bins)}V{foot}H{_x(run[0].from_ms, bins)}Z"
        for run in _runs(bins)
    ]
    return Chart(foot + FOOT, foot, (), areas, _gaps(bins, TOP, STRIP_H), downs, (), x_ticks(bins, zone))


def nice(value: float) -> float:
    """The next round number, so that an axis ends on one."""
    size = 10.0 ** floor(log10(value))
    return next(step * size for step in NICE if step * size >= value * (1 - 1e-9))


def x_ticks(bins: Sequence[Bin], zone: str) -> list[tuple[float, str]]:
    """Round local times below the axis: hours within two days, dates beyond."""
    if not bins:
        return []
    start, end = bins[0].from_ms, bins[-1].to_ms
    by_hour = end - start <= 2 * DAY_MS
    step = timedelta(hours=4) if by_hour else timedelta(days=5)
    at = local(start, zone).replace(minute=0, second=0, microsecond=0)
    at = at.replace(hour=ceil(at.hour / 4) * 4 % 24) if by_hour else at.replace(hour=0)
    ticks = []
    while to_ms(at) <= end:
        if to_ms(at) >= start:
            ticks.append((_x(to_ms(at), bins), f"{at:%H:%M}" if by_hour else f"{at.day} {MONTHS[at.month - 1]}"))
        at += step
    return [(x, text) for x, text in ticks if LEFT + 8 <= x <= WIDTH - RIGHT - 8]


def _x(at_ms: int, bins: Sequence[Bin]) -> float:
    start, end = bins[0].from_ms, bins[-1].to_ms
    return round(LEFT + (WIDTH - LEFT - RIGHT) * (at_ms - start) / (end - start), 1)


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


def _gaps(bins: Sequence[Bin], y: float, h: float) -> list[Box]:
    boxes: list[Box] = []
    before_was_gap = False
    for b in bins:
        x, end = _x(b.from_ms, bins), _x(b.to_ms, bins)
        if b.value is None and before_was_gap:
            boxes[-1] = Box(boxes[-1].x, y, round(end - boxes[-1].x, 1), h)
        elif b.value is None:
            boxes.append(Box(x, y, round(end - x, 1), h))
        before_was_gap = b.value is None
    return boxes


def _steps(run: Sequence[Bin], bins: Sequence[Bin], y: Callable[[float], float]) -> str:
    parts: list[str] = []
    for b in run:
        value = b.value or 0.0
        parts.append(f"{'L' if parts else 'M'}{_x(b.from_ms, bins)} {y(value)}H{_x(b.to_ms, bins)}")
    return "".join(parts)
