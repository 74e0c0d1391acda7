"""Pages of the dashboards and reports in force at this plant, with its own figures."""

from __future__ import annotations

from flask import Blueprint, render_template, request

from local_mes.context import plant
from local_mes.performance import errors
from local_mes.performance.service import production_day
from shared.performance.dashboard import read_dashboard
from shared.performance.dashboard_charts import charts, figure_text
from shared.performance.queries import production_days
from shared.standards.dashboard_kind import DAYS_MAX, Dashboard
from shared.standards.queries import Adopted, list_documents_in_force
from shared.web.context import node, reading
from shared.web.features import Feature, MenuItem

bp = Blueprint("dashboards", __name__, url_prefix="/dashboards", template_folder="templates")


@bp.get("/")
def dashboards() -> str:
    """Which there are."""
    return render_template("performance/dashboards.html", found=list(_in_force().values()))


@bp.get("/<standard_id>")
def dashboard(standard_id: str) -> str:
    """One of them, up to a production day."""
    found = _in_force().get(standard_id)
    if found is None:
        raise errors.unknown_dashboard(standard_id)
    with reading() as conn:
        days = production_days(conn, node().code, DAYS_MAX) or [production_day(plant())]
        day = request.args.get("day", "")
        day = day if day in days else days[0]
        tiles = read_dashboard(conn, node().code, found[1], day)
    shown = {"dashboard": found[1], "found": tiles, "days": days, "day": day}
    return render_template("performance/dashboard.html", **shown, charts=charts, figure_text=figure_text)


def _in_force() -> dict[str, tuple[Adopted, Dashboard]]:
    with reading() as conn:
        every = list_documents_in_force(conn, node().code, "dashboard")
    return {document.id: (adopted, document) for adopted, document in every if isinstance(document, Dashboard)}


FEATURE = Feature(pages=(bp,), menu=(MenuItem("Figures", "Dashboards", "dashboards.dashboards"),))
