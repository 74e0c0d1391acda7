"""The comparison page: one KPI over all plants, each figure with definition version, base measures and as-of."""

from __future__ import annotations

from flask import Blueprint, render_template, request

from central_hub.context import hub
from central_hub.performance.api import api, chosen_days
from central_hub.performance.service import list_days, list_kpis, read_comparison
from shared.performance.formulas import sum_text
from shared.web.context import reading
from shared.web.features import Feature, MenuItem

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


FEATURE = Feature(pages=(bp,), apis=(api,), menu=(MenuItem("Figures", "Comparison", "comparison.comparison"),))
