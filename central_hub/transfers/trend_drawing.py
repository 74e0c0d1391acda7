"""Weight differences over weeks as a picture: a point a week with its confidence, zero across, tolerance-free. Pure geometry."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from central_hub.transfers.lane_domain import mean_with_confidence
from shared.clock import to_datetime
from shared.web.formats import MONTHS
from shared.web.timechart import nice

WEEK_MS = 7 * 86_400_000
WIDTH, HEIGHT = 520.0, 132.0
LEFT, RIGHT, TOP, FOOT = 56.0, 10.0, 10.0, 20.0
LEAST_PPM = 1_000.0
"""The axis reaches at least ±0.1 %, so that noise looks like noise."""


@dataclass(frozen=True)
class Point:
    """A week's mean, and how far its confidence reaches (equal where one weighing tells nothing); places in the picture."""

    x: float
    y: float
    high_y: float
    low_y: float
    title: str


@dataclass(frozen=True)
class Trend:
    """What the template draws."""

    title: str
    points: Sequence[Point]
    zero_y: float
    y_ticks: Sequence[tuple[float, str]]
    x_ticks: Sequence[tuple[float, str]]
    width: float = WIDTH
    height: float = HEIGHT
    left: float = LEFT
    right: float = WIDTH - RIGHT

    @property
    def line(self) -> str:
        """The points joined."""
        return " ".join(f"{point.x},{point.y}" for point in self.points)


def weeks_of(from_ms: int, to_ms: int) -> list[int]:
    """Beginnings of the weeks that end at to_ms."""
    count = round((to_ms - from_ms) / WEEK_MS)
    return [to_ms - (count - n) * WEEK_MS for n in range(count)]


def draw_trend(title: str, weeks: Sequence[int], told_ppm: Sequence[Sequence[float]]) -> Trend:
    """One point for each week that has differences (ppm)."""
    known = [
        (week, values, *mean_with_confidence(values)) for week, values in zip(weeks, told_ppm, strict=True) if values
    ]
    top = nice(max([LEAST_PPM, *(abs(mean) * 1.2 for _, _, mean, _, _ in known)]))
    zero = (TOP + HEIGHT - FOOT) / 2
    half = zero - TOP
    step = (WIDTH - LEFT - RIGHT) / len(weeks)

    def y(ppm: float) -> float:
        return round(zero - half * max(-1.0, min(1.0, ppm / top)), 1)

    places = {week: round(LEFT + step * (n + 0.5), 1) for n, week in enumerate(weeks)}
    points = [
        Point(places[week], y(mean), *_reach(values, y(mean), y(high), y(low)), _words(week, mean, len(values)))
        for week, values, mean, low, high in known
    ]
    ticks = [(y(part * top), f"{part * top / 10_000:+.2f} %" if part else "0") for part in (-1.0, 0.0, 1.0)]
    return Trend(title, points, zero, ticks, [(places[week], _day(week)) for week in weeks[::4]])


def _reach(values: Sequence[float], mean_y: float, high_y: float, low_y: float) -> tuple[float, float]:
    return (high_y, low_y) if len(values) > 1 else (mean_y, mean_y)


def _words(week: int, mean: float, count: int) -> str:
    return f"Week from {_day(week)}: {mean / 10_000:+.3f} % of {count} pieces"


def _day(week: int) -> str:
    day = to_datetime(week)
    return f"{day.day} {MONTHS[day.month - 1]}"
