"""JSON reads of figures, the same at plants and at the hub: base measures, ratios, stops. Masses in g, times in ms."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from flask_openapi import Tag
from pydantic import BaseModel, Field

from shared.performance import queries
from shared.performance.closing_api import api as closes_api
from shared.performance.figures import figures_of
from shared.performance.piece_yields_api import api as piece_yields_api
from shared.web.api_blueprint import APIBlueprint
from shared.web.asof import as_of
from shared.web.context import reading
from shared.web.features import Feature

tag = Tag(name="performance", description="Base measures, states and stops of units")
api = APIBlueprint("performance_api", __name__, url_prefix="/api/v1", abp_tags=[tag], abp_security=[{"bearer": []}])


class FiguresQuery(BaseModel):
    """Which figures; without a day, the youngest that has any."""

    day: str = Field("", max_length=10, pattern=r"^(\d{4}-\d{2}-\d{2})?$", description="production day")
    shift: str = Field("", max_length=64)
    author: str = Field("", max_length=64)
    unit: str = Field("", max_length=64)


@api.get("/performance", summary="Figures of one production day, by unit")
def performance(query: FiguresQuery) -> dict[str, Any]:
    """Sums of base measures and the ratios of the sums; stops with their reasons; what each unit does now."""
    with reading() as conn:
        days = queries.production_days(conn, query.author)
        day = query.day or (days[0] if days else "")
        narrow: dict[str, Any] = {
            "author": query.author,
            "unit": query.unit,
            "days": [day] if day else [],
            "shift": query.shift,
        }
        found = queries.sums(conn, **narrow)
        stops = queries.stops(conn, **narrow) if day else []
        delays = queries.delay_ms(conn, **narrow) if day else {}
        states = queries.states(conn, query.author)
    return {
        "production_day": day,
        "shift": query.shift,
        "days": days,
        "items": [
            {"author": author, "unit": unit, "measures": measures, "figures": asdict(figures_of(measures))}
            for (author, unit), measures in found.items()
        ],
        "stops": [dict(row._mapping) for row in stops],
        "delays_ms": [{"author": a, "unit": u, "reasons": reasons} for (a, u), reasons in sorted(delays.items())],
        "states": [dict(row._mapping) for row in states],
        **as_of(),
    }


FEATURE = Feature(apis=(api, closes_api, piece_yields_api))
