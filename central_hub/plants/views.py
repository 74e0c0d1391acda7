"""The lines to the plants: all of them on one page, and each on its own in plain words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, render_template, request, url_for
from sqlalchemy import Connection

from central_hub.conformance.service import Matrix, Wish, read_matrix
from central_hub.conformance.words import SIGNS, text_of
from central_hub.context import hub
from central_hub.hub import Hub, downlink
from central_hub.plants.queries import PlantLine, list_plants
from shared.errors import NotFound
from shared.web.context import face, reading
from shared.web.features import Feature, MenuItem
from shared.web.formats import clock_time
from shared.web.timechart import Chart
from sync import incidents
from sync.epoch_tree import height, read_tree
from sync.history import Figure
from sync.line_charts import SPANS, month_uptime_ppm, read_charts, uptime_strip, words_of
from sync.line_reads import INCIDENT_SIGNS, route_rows, stream_received, stream_written
from sync.sight_door import Kept, find_sight
from sync.understanding import list_lacking

bp = Blueprint("lines", __name__, url_prefix="/plants", template_folder="templates")


@dataclass(frozen=True)
class Overview:
    """One plant's line in a row. sight: what the plant itself last said."""

    plant: PlantLine
    sight: Kept | None
    strip: Chart
    day: Figure
    month_ppm: int | None


@bp.get("/")
def overview() -> str:
    """All lines."""
    here = hub()
    now, zone = here.clock.now_ms(), face().zone
    with reading() as conn:
        rows = []
        for line in list_plants(conn, here.code, here.settings.sync.away_after_s):
            strip, day = uptime_strip(conn, line.code, now, zone)
            month = month_uptime_ppm(conn, line.code, now)
            rows.append(Overview(line, find_sight(conn, line.code), strip, day, month))
        waiting = incidents.list_open(conn)
    return render_template(
        "plants/overview.html",
        rows=rows,
        incidents=waiting,
        signs=INCIDENT_SIGNS,
        kinds=incidents.KINDS,
        sync=here.settings.sync,
    )


@bp.get("/<code>")
def plant(code: str) -> str:
    """One line."""
    here = hub()
    with reading() as conn:
        lines = list_plants(conn, here.code, here.settings.sync.away_after_s)
        line = next((line for line in lines if line.code == code), None)
        if line is None:
            raise NotFound("plants.unknown", f"No plant {code!r} has joined.", todo="Choose one of the list.")
        return render_template("plants/line.html", **_read(conn, here, line))


def _read(conn: Connection, here: Hub, line: PlantLine) -> dict[str, Any]:
    now, zone = here.clock.now_ms(), face().zone
    charts = read_charts(conn, line.code, now, request.args.get("span", "day"), zone, here.settings.sync)
    twigs = read_tree(conn, line.code)
    sight = find_sight(conn, line.code)
    return {
        "line": line,
        "sight": sight,
        "routes": route_rows(sight.sight.routes) if sight else [],
        "received": stream_received(conn, line.code, line.code, here.code),
        "written": stream_written(conn, downlink(here.code, line.code), here.code, line.code),
        "lacking": list_lacking(conn, line.code, downlink(here.code, line.code)),
        "charts": charts,
        "words": words_of(charts.drawn, charts.span),
        "span_links": [(key, label, url_for("lines.plant", code=line.code, span=key)) for key, label in SPANS.items()],
        "sync": here.settings.sync,
        "twigs": twigs,
        "tree_height": height(twigs),
        "plain": lambda at_ms: clock_time(at_ms, now, zone),
        "incidents": [row for row in incidents.list_open(conn, 100) if row.peer == line.code],
        "signs": INCIDENT_SIGNS,
        "kinds": incidents.KINDS,
        "standards": _standards(read_matrix(conn, here, Wish(plant=line.code)), line.code),
    }


def _standards(matrix: Matrix, plant_code: str) -> list[tuple[str, str, str]]:
    """(standard, sign, words) of what does not run as the group wants it."""
    cells = [(standard, matrix.cells[standard, plant_code]) for standard in matrix.standards]
    return [(name, SIGNS[c.state], text_of(c)) for name, c in cells if c.state not in ("runs_it", "not_for_it")]


FEATURE = Feature(pages=(bp,), menu=(MenuItem("Node", "Plants", "lines.overview"),))
