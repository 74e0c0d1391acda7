"""JSON of the comparison: one KPI, all plants, with definition version and as-of."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from flask_openapi import Tag
from pydantic import BaseModel, Field
from sqlalchemy import Connection

from central_hub.context import hub
from central_hub.performance.service import list_days, list_kpis, read_comparison
from shared.web.api_blueprint import APIBlueprint
from shared.web.asof import as_of
from shared.web.context import reading

tag = Tag(name="comparison", description="One KPI over all plants, like with like")
api = APIBlueprint("comparison_api", __name__, url_prefix="/api/v1", abp_tags=[tag], abp_security=[{"bearer": []}])


class ComparisonQuery(BaseModel):
    """Which KPI, over which production days (one day, or from..to; none: the latest day with figures)."""

    kpi: str = Field("KPI-YLD", max_length=40)
    day: str = Field("", max_length=10)
    from_day: str = Field("", max_length=10)
    to_day: str = Field("", max_length=10)


@api.get("/comparison")
def comparison(query: ComparisonQuery) -> dict[str, Any]:
    """Groups of plants that use the same definition; `comparable` is false when there is more than one group."""
    with reading() as conn:
        days = chosen_days(conn, query.day, query.from_day, query.to_day)
        found = read_comparison(conn, hub(), query.kpi, days)
        kpis = list_kpis(conn, hub())
    return {
        "kpi": query.kpi,
        "title": dict(kpis)[query.kpi],
        "days": days,
        "comparable": found.comparable,
        "refusal": found.refusal,
        "groups": [asdict(group) for group in found.groups],
        "without": list(found.without),
        "kpis": [{"id": kpi, "title": title} for kpi, title in kpis],
        **as_of(),
    }


def chosen_days(conn: Connection, day: str, from_day: str, to_day: str) -> list[str]:
    """The production days asked for that have figures, oldest first; the latest one when none is asked for."""
    known = list_days(conn)
    if day:
        return [day]
    if from_day or to_day:
        return sorted(found for found in known if (from_day or found) <= found <= (to_day or found))
    return known[:1]
