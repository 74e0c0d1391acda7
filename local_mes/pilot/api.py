"""The comparison as JSON."""

from __future__ import annotations

from typing import Any

from flask_openapi import Tag
from pydantic import Field

from local_mes.context import plant
from local_mes.pilot import queries
from shared.web.api_blueprint import APIBlueprint
from shared.web.context import reading
from shared.web.paging import PageQuery

tag = Tag(name="pilot", description="Daily comparison with the plant's old MES")
bp = APIBlueprint("pilot_api", __name__, url_prefix="/api/v1", abp_tags=[tag], abp_security=[{"bearer": []}])
DAYS_MAX = 400


class DifferenceQuery(PageQuery):
    """Which differences."""

    day: str = Field("", max_length=10, description="production day, YYYY-MM-DD")
    kind: str = Field("", max_length=16)
    field: str = Field("", max_length=16)
    cause: str = Field("", max_length=16)
    q: str = Field("", max_length=64, description="part of a piece's number")


@bp.get("/pilot/days")
def days() -> dict[str, Any]:
    """Counts of each day that was compared, oldest first."""
    with reading() as conn:
        rows = queries.find_days(conn, DAYS_MAX)
    return {"items": [dict(row._mapping) for row in rows], "next": None, "as_of": plant().clock.now_ms()}


@bp.get("/pilot/differences")
def differences(query: DifferenceQuery) -> dict[str, Any]:
    """What differs, newest day first."""
    wanted = {name: getattr(query, name) for name in ("day", "kind", "field", "cause", "q")}
    with reading() as conn:
        rows = queries.find_differences(conn, wanted, query.after, query.limit)
    items = rows[: query.limit]
    more = items[-1]["place"] if len(rows) > query.limit else None
    plain = [{name: value for name, value in row.items() if name != "place"} for row in items]
    return {"items": plain, "next": more, "as_of": plant().clock.now_ms()}
