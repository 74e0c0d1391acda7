"""A KPI over production days as a picture, and how its figures are written. Pure."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

from shared.clock import to_ms
from shared.performance.dashboard import TileNow
from shared.performance.formulas import KpiFigure
from shared.web.timechart import DAY_MS, Bin, Chart, draw

LEAST = 0.001
"""The smallest top of an axis."""


def figure_text(value: float | None) -> str:
    """A figure with as many digits as a person reads: 1,240; 96.4; 0.385."""
    if value is None:
        return "–"
    size = abs(value)
    return f"{value:,.0f}" if size >= 1_000 else f"{value:,.1f}" if size >= 20 else f"{value:,.3g}"


def charts(now: TileNow) -> list[tuple[KpiFigure, Chart]]:
    """One picture a place that the KPI is taken at; a day without a figure is a gap."""
    places = dict.fromkeys(figure.at for _, figures in now.days for figure in figures)
    return [_chart(now, at) for at in places]


def _chart(now: TileNow, at: str) -> tuple[KpiFigure, Chart]:
    found = [(day, next((f for f in figures if f.at == at), None)) for day, figures in now.days]
    bins = [Bin(_begins(day), _begins(day) + DAY_MS, figure.value if figure else None) for day, figure in found]
    last = next(figure for _, figure in reversed(found) if figure is not None)
    target = None if now.tile.target_milli is None else now.tile.target_milli / 1000
    return last, draw(bins, "UTC", figure_text, target=target, least=LEAST)


def _begins(day: str) -> int:
    """A production day's place on the axis: days are drawn by their date, as long as each other."""
    return to_ms(datetime.combine(date.fromisoformat(day), time(), UTC))
