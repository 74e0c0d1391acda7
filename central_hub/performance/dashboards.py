"""Pages of dashboards and reports in the portal: all plants side by side, or one plant as it sees itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flask import Blueprint, render_template, request
from sqlalchemy import Connection

from central_hub.plants.queries import list_codes
from shared.errors import NotFound
from shared.performance.dashboard import TileNow, read_dashboard
from shared.performance.dashboard_charts import charts, figure_text
from shared.performance.queries import production_days
from shared.standards.dashboard_kind import DAYS_MAX, Dashboard
from shared.standards.queries import document_of, list_versions
from shared.web.context import node, reading
from shared.web.features import Feature, MenuItem

bp = Blueprint("group_dashboards", __name__, url_prefix="/dashboards", template_folder="templates")


@dataclass(frozen=True)
class PlantRow:
    """A plant's figures of a dashboard: one list a tile that shows a figure."""

    plant: str
    cells: Sequence[TileNow]


@bp.get("/")
def dashboards() -> str:
    """Which are published."""
    with reading() as conn:
        found = _published(conn)
    return render_template("group_dashboards/list.html", found=list(found.values()))


@bp.get("/<standard_id>")
def dashboard(standard_id: str) -> str:
    """All plants side by side, or with plant= that one."""
    with reading() as conn:
        found = _published(conn).get(standard_id)
        if found is None:
            raise NotFound(
                "performance.no_dashboard", f"No dashboard {standard_id} is published.", todo="Choose another."
            )
        codes = [code for code in list_codes(conn) if not found.scope.plants or code in found.scope.plants]
        plant = request.args.get("plant", "")
        plant = plant if plant in codes else ""
        days = production_days(conn, plant, DAYS_MAX)
        day = request.args.get("day", "")
        day = day if day in days else (days[0] if days else "")
        tiles = read_dashboard(conn, plant, found, day) if plant and day else []
        rows = [] if plant or not day else [_row(conn, code, found, day) for code in codes]
    return render_template(
        "group_dashboards/one.html",
        dashboard=found,
        codes=codes,
        plant=plant,
        days=days,
        day=day,
        found=tiles,
        rows=rows,
        heads=[tile for tile in found.tiles if tile.show == "figure"],
        charts=charts,
        figure_text=figure_text,
    )


def _row(conn: Connection, plant: str, dashboard: Dashboard, day: str) -> PlantRow:
    return PlantRow(plant, read_dashboard(conn, plant, dashboard, day, show="figure"))


def _published(conn: Connection) -> dict[str, Dashboard]:
    """The newest published version of each."""
    rows = [row for row in list_versions(conn, node().code, "published") if row.kind == "dashboard"]
    found = {row.standard_id: document_of(row.body) for row in rows}
    return {name: document for name, document in found.items() if isinstance(document, Dashboard)}


FEATURE = Feature(pages=(bp,), menu=(MenuItem("Figures", "Dashboards", "group_dashboards.dashboards"),))
