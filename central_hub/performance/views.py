"""The comparison page: one KPI over all plants, each figure with definition version, base measures and as-of."""

from __future__ import annotations

from flask import Blueprint, render_template, request

from central_hub.context import hub
from central_hub.performance.api import api, chosen_days
from central_hub.performance.service import list_days, list_kpis, read_comparison
from shared.performance.closing_api import read_closes
from shared.performance.formulas import sum_text
from shared.web.context import reading
from shared.web.features import Feature, MenuItem

CLOSES_SHOWN = 60
"""Of a group of three plants, the last twenty days."""
bp = Blueprint("comparison", __name__, template_folder="templates")


@bp.get("/comparison")
def comparison() -> str:
    """One KPI at every plant; the choice is in the address."""
    with reading() as conn:
        kpis = list_kpis(conn, hub())
        kpi = request.args.get("kpi", "") or (kpis[0][0] if kpis else "")
        days = chosen_days(conn, request.args.get("day", "")[:10], "", "")
        found = read_comparison(conn, hub(), kpi, days) if kpi else None
        known = list_days(conn)
    return render_template(
        "comparison/comparison.html", kpis=kpis, kpi=kpi, days=days, known=known, found=found, sum_text=sum_text
    )


@bp.get("/closed-days")
def closed_days() -> str:
    """Which production days are closed at every plant, and which changed since."""
    with reading() as conn:
        closes = [close for close in read_closes(conn, limit=CLOSES_SHOWN) if close["state"] != "replaced"]
    return render_template("comparison/closes.html", closes=closes)


FEATURE = Feature(
    pages=(bp,),
    apis=(api,),
    menu=(
        MenuItem("Figures", "Comparison", "comparison.comparison"),
        MenuItem("Figures", "Closed days", "comparison.closed_days"),
    ),
)
