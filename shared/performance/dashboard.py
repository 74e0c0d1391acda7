"""A dashboard with what a plant's figures make of it: the same at the plant and at the hub, from the same rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Connection

from shared.performance.figures import pareto
from shared.performance.formulas import KpiFigure, evaluate_kpi, sums_by_class
from shared.performance.queries import delay_ms, latest_stops, sums_by_day
from shared.quality.queries import list_holds
from shared.standards.dashboard_kind import Dashboard, Tile
from shared.standards.documents import Kpi
from shared.standards.queries import equipment_of, find_document, find_in_force

ROWS_SHOWN = 10
"""Rows of a list tile: what is more has a page of its own."""

ByDay = Mapping[str, Mapping[str, Mapping[str, int]]]


@dataclass(frozen=True)
class Figure:
    """A KPI's figure at one place. worse: beyond the tile's target, in the KPI's own sense of better."""

    figure: KpiFigure
    worse: bool = False


@dataclass(frozen=True)
class TileNow:
    """A tile with its content, as its `show` asks.

    version   of the KPI's definition in force at the plant, None: there is none (why says so)
    figures   of `figure`; days: day -> figures, of `trend` and `table`, the oldest first
    delays    reason, ms, share in ppm; rows: of the lists
    """

    tile: Tile
    version: int | None = None
    figures: Sequence[Figure] = ()
    days: Sequence[tuple[str, Sequence[KpiFigure]]] = ()
    delays: Sequence[tuple[str, int, int]] = ()
    rows: Sequence[Any] = ()
    why: str = ""


@dataclass(frozen=True)
class _Seen:
    """What the tiles of one dashboard are made of."""

    conn: Connection
    plant: str
    last_day: str
    by_day: ByDay
    classes: Mapping[str, str]


def read_dashboard(conn: Connection, plant: str, dashboard: Dashboard, last_day: str, show: str = "") -> list[TileNow]:
    """Its tiles for a plant, up to a production day (ISO date); show: only those that show that."""
    tiles = [tile for tile in dashboard.tiles if show in ("", tile.show)]
    if not tiles:
        return []
    longest = max(tile.days for tile in tiles)
    by_day = sums_by_day(conn, plant, span(last_day, longest)[0], last_day)
    seen = _Seen(conn, plant, last_day, by_day, equipment_of(conn, plant))
    return [_tile(seen, tile) for tile in tiles]


def span(last_day: str, days: int) -> list[str]:
    """That many production days up to one, the oldest first."""
    last = date.fromisoformat(last_day)
    return [(last - timedelta(days=back)).isoformat() for back in reversed(range(days))]


def _tile(seen: _Seen, tile: Tile) -> TileNow:
    days = span(seen.last_day, tile.days)
    if tile.kpi:
        return _of_kpi(seen, tile, days)
    if tile.show == "delays":
        return TileNow(tile, delays=_delays(seen, days))
    if tile.show == "stops":
        return TileNow(tile, rows=latest_stops(seen.conn, seen.plant, days, ROWS_SHOWN))
    held = list_holds(seen.conn, author=seen.plant, state="open", limit=ROWS_SHOWN)
    return TileNow(tile, rows=held)


def _of_kpi(seen: _Seen, tile: Tile, days: Sequence[str]) -> TileNow:
    adopted = find_in_force(seen.conn, seen.plant, tile.kpi)
    kpi = find_document(seen.conn, tile.kpi, adopted.version, adopted.sha256) if adopted else None
    if adopted is None or not isinstance(kpi, Kpi):
        return TileNow(tile, why=f"{tile.kpi} is not in force at {seen.plant}.")
    if tile.show == "figure":
        found = [Figure(f, _is_worse(kpi, tile, f)) for f in _figures(seen, kpi, tile, days)]
        return TileNow(tile, adopted.version, figures=found, why="" if found else _nothing(seen, tile))
    by_day = [(day, _figures(seen, kpi, tile, [day])) for day in days]
    said = any(figures for _, figures in by_day)
    return TileNow(tile, adopted.version, days=by_day, why="" if said else _nothing(seen, tile))


def _figures(seen: _Seen, kpi: Kpi, tile: Tile, days: Sequence[str]) -> list[KpiFigure]:
    totals: dict[str, dict[str, int]] = {}
    for day in days:
        for unit, measures in seen.by_day.get(day, {}).items():
            into = totals.setdefault(unit, {})
            for measure, total in measures.items():
                into[measure] = into.get(measure, 0) + total
    found = evaluate_kpi(kpi, sums_by_class(totals, seen.classes))
    return [figure for figure in found if tile.at in ("", figure.at)]


def _is_worse(kpi: Kpi, tile: Tile, figure: KpiFigure) -> bool:
    if tile.target_milli is None or figure.value is None:
        return False
    short = figure.value * 1000 - tile.target_milli
    return short < 0 if kpi.better == "higher" else short > 0


def _delays(seen: _Seen, days: Sequence[str]) -> list[tuple[str, int, int]]:
    reasons: dict[str, int] = {}
    for by_reason in delay_ms(seen.conn, author=seen.plant, days=days).values():
        for reason, ms in by_reason.items():
            reasons[reason or "no reason yet"] = reasons.get(reason or "no reason yet", 0) + ms
    return pareto(reasons)[:ROWS_SHOWN]


def _nothing(seen: _Seen, tile: Tile) -> str:
    return f"{seen.plant} has no {tile.at.replace('_', ' ') or 'equipment'} that {tile.kpi} speaks of."
