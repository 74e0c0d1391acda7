"""Aims as people read them: the unit out of the name's end, figures in the field's units. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from shared.execution.aims import Aim, Value

SUFFIXES = {
    "um": (1_000, "mm"),
    "g": (1_000, "kg"),
    "ms": (3_600_000, "h"),
    "c": (1, "C"),
    "gm2": (1, "g/m2"),
    "ppm": (10_000, "%"),
    "mm": (1, "mm"),
    "kg": (1, "kg"),
    "min": (1, "min"),
}
"""End of a stored name -> how many of it make one of the unit that people read."""


@dataclass(frozen=True)
class ShownAim:
    """One line of the table of aims, all text."""

    name: str
    value: str
    low: str
    high: str
    unit: str
    said_by: str
    over: tuple[str, ...]


def shown(aim: Aim) -> ShownAim:
    """An aim in the field's units."""
    stem, _, end = aim.name.rpartition("_")
    scale, unit = SUFFIXES.get(end, (1, aim.unit)) if stem else (1, aim.unit)
    name = (stem if stem and end in SUFFIXES else aim.name).replace("_", " ")
    value, low, high = (_text(value, scale) for value in (aim.value, aim.low, aim.high))
    return ShownAim(name, value, low, high, unit, aim.said_by, aim.over)


def _text(value: Value | None, scale: int) -> str:
    if isinstance(value, int):
        return f"{value:,}" if scale == 1 else f"{value / scale:,.3f}".rstrip("0").rstrip(".")
    return value or ""
