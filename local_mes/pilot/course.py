"""How the differences went over the days, as a picture: does it converge to zero? Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

WIDTH, HEIGHT, GROUND = 1000, 150, 120
COUNTS = ("missing_here", "missing_there", "differing")


@dataclass(frozen=True)
class Block:
    """One part of a day's bar, from its top; kind names the count."""

    kind: str
    y: float
    height: float


@dataclass(frozen=True)
class Bar:
    """One day: where it stands, its parts from below, the sum, and whether the day is named below it."""

    day: str
    x: float
    width: float
    blocks: tuple[Block, ...]
    total: int
    is_named: bool


@dataclass(frozen=True)
class Course:
    """All days shown; most: the count at the top of the picture; clean: newest days in a row without a difference."""

    bars: tuple[Bar, ...]
    most: int
    clean: int


def course(days: Sequence[Any]) -> Course:
    """The picture of days, oldest first."""
    totals = [sum(getattr(day, name) for name in COUNTS) for day in days]
    most = max([*totals, 1])
    step = WIDTH / max(len(days), 10)
    every = max(1, len(days) // 8)
    bars = tuple(
        Bar(day.day, at * step + step * 0.15, step * 0.7, _blocks(day, most), total, (len(days) - 1 - at) % every == 0)
        for at, (day, total) in enumerate(zip(days, totals, strict=True))
    )
    clean = next((count for count, total in enumerate(reversed(totals)) if total), len(totals))
    return Course(bars, most, clean)


def _blocks(day: Any, most: int) -> tuple[Block, ...]:
    found, top = [], float(GROUND)
    for name in COUNTS:
        height = getattr(day, name) * (GROUND - 18) / most
        top -= height
        if height:
            found.append(Block(name, top, height))
    return tuple(found)
