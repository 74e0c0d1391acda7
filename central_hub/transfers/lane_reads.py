"""What the pages of lanes and scales show: journeys of the last months read narrowly, in a few statements."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, Select, and_, bindparam, select

from central_hub.transfers.lane_domain import Trip, by_carrier, figures_of, find_biased, pairs_of, quantile
from central_hub.transfers.standing import find_standing, given_up
from central_hub.transfers.trend_drawing import WEEK_MS, Trend, draw_trend, weeks_of
from central_hub.transfers.watermarks import watermarks
from central_hub.transfers.way_domain import load_lanes
from shared.db.prepared import Prepared
from shared.errors import NotFound
from shared.transfers.tables import receipt, shipment, shipment_line, transfer_word
from shared.web.context import node
from shared.web.timechart import Bin, Chart, draw

WEEKS = 13
"""Weeks behind every figure of a lane: a quarter; older weighings say little of today's scale."""
HOUR_MS = 3_600_000
PAIRS_DRAWN = 4
TICKS_APART = 4
"""A quarter has too many round dates for one axis."""


def read_lanes(conn: Connection) -> dict[str, Any]:
    """All lanes of the last quarter in figures, the pairs of scales, and what they say."""
    now_ms = node().clock.now_ms()
    trips = read_trips(conn, now_ms - WEEKS * WEEK_MS)
    by_lane: dict[str, list[Trip]] = {}
    for trip in trips:
        by_lane.setdefault(trip.lane, []).append(trip)
    pairs = pairs_of(trips)
    return {
        "figures": [figures_of(lane, by_lane[lane]) for lane in sorted(by_lane)],
        "carriers": by_carrier(trips),
        "pairs": pairs,
        "findings": find_biased(pairs),
        "weeks": WEEKS,
    }


def read_lane(conn: Connection, name: str) -> dict[str, Any]:
    """One lane with its trends; NotFound when nothing ever moved on it in the last quarter or moves now."""
    now_ms = node().clock.now_ms()
    from_ms = now_ms - WEEKS * WEEK_MS
    every = read_trips(conn, from_ms)
    trips = [trip for trip in every if trip.lane == name]
    loads = [load for load in load_lanes(find_standing(conn), watermarks(conn), now_ms) if load.lane == name]
    if not trips and not loads:
        raise NotFound("transfers.unknown_lane", f"Nothing moved from {name}.", todo="Choose a lane of the list.")
    pairs = pairs_of(trips)
    mine = {source for pair in pairs for source in (pair.first, pair.second)}
    weeks = weeks_of(from_ms, now_ms)
    return {
        "name": name,
        "figures": figures_of(name, trips),
        "carriers": by_carrier(trips),
        "load": next(iter(loads), None),
        "pairs": pairs,
        "findings": [found for found in find_biased(pairs_of(every)) if mine & set(found.suspects)],
        "times": _times(trips, weeks),
        "trends": [_trend(trips, weeks, (pair.first, pair.second)) for pair in pairs[:PAIRS_DRAWN]],
        "weeks": WEEKS,
    }


def read_trips(conn: Connection, since_ms: int) -> list[Trip]:
    """Journeys of the pieces that left since a time and did leave, by departure."""
    lost = _lost(conn)
    rows = TRIPS.rows(conn, since_ms=since_ms)
    return [Trip(*(*row[2:-1], (row[0], row[1]) in lost, row[-1])) for row in rows]


def _lost(conn: Connection) -> set[tuple[str, str]]:
    """(load, piece) given up: by the word of both sides, or by the person who ended the case."""
    w, s = transfer_word.c, shipment.c
    same = and_(s.author == w.sender, s.shipment_id == w.shipment_id)
    signed = select(w.shipment_id, w.material_id, w.author, s.author.label("sender")).join_from(
        transfer_word, shipment, same
    )
    sides: dict[tuple[str, str], set[bool]] = {}
    for row in conn.execute(signed.where(w.kind == "lost")):
        sides.setdefault((row.shipment_id, row.material_id), set()).add(row.author == row.sender)
    return {*given_up(conn), *(key for key, said in sides.items() if len(said) == 2)}


def _trips(_database: str) -> Select[Any]:
    line, s, r = shipment_line.c, shipment.c, receipt.c
    came = and_(r.shipment_id == line.shipment_id, r.material_id == line.material_id, r.author == s.to_plant)
    return (
        select(
            line.shipment_id,
            line.material_id,
            line.author,
            s.to_plant,
            line.departed_at_ms,
            r.received_at_ms,
            line.mass_g,
            line.mass_basis,
            line.scale,
            r.mass_g,
            r.mass_basis,
            r.scale,
            s.carrier,
        )
        .join_from(shipment, shipment_line, and_(line.author == s.author, line.shipment_id == s.shipment_id))
        .join(receipt, came, isouter=True)
        .where(s.departed_at_ms >= bindparam("since_ms"), line.withdrawn == bindparam("no", False))
        .order_by(line.departed_at_ms, line.shipment_id, line.material_id)
    )


TRIPS = Prepared(_trips)


def _times(trips: Sequence[Trip], weeks: Sequence[int]) -> Chart:
    """The median hours of each week's departures."""
    bins = []
    for week in weeks:
        hours = sorted(time for trip in _in_week(trips, week) if (time := trip.transit_ms) is not None)
        middle = quantile(hours, 0.5)
        bins.append(Bin(week, week + WEEK_MS, None if middle is None else middle / HOUR_MS))
    chart = draw(bins, "UTC", _hours)
    return replace(chart, x_ticks=chart.x_ticks[::TICKS_APART])


def _trend(trips: Sequence[Trip], weeks: Sequence[int], sources: tuple[str, str]) -> Trend:
    """The mean difference of one pair of sources by week, with its confidence."""
    mine = [trip for trip in trips if trip.sources == sources]
    told = [[d for trip in _in_week(mine, week) if (d := trip.difference_ppm) is not None] for week in weeks]
    return draw_trend(f"{sources[0]} to {sources[1]}", weeks, told)


def _in_week(trips: Sequence[Trip], week: int) -> list[Trip]:
    return [trip for trip in trips if week <= trip.departed_at_ms < week + WEEK_MS]


def _hours(value: float) -> str:
    return f"{value:g} h"
