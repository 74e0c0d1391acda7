"""JSON reads of corrections, the same at plants and at the hub: what was said before, and what could not be corrected."""

from __future__ import annotations

from typing import Any

import msgspec
from flask_openapi import Tag
from pydantic import Field
from sqlalchemy import Row

from shared.material.correction_queries import cursor_of, list_cases, list_corrections
from shared.web.api_blueprint import APIBlueprint
from shared.web.asof import as_of
from shared.web.context import reading
from shared.web.paging import PageQuery

tag = Tag(name="corrections", description="Recorded statements that turned out wrong")
api = APIBlueprint("corrections_api", __name__, url_prefix="/api/v1", abp_tags=[tag], abp_security=[{"bearer": []}])


class CorrectionsQuery(PageQuery):
    """Whose, and of which piece; empty means any."""

    author: str = Field("", max_length=64)
    material_id: str = Field("", max_length=32)


class CasesQuery(PageQuery):
    """Whose, and whether they are settled."""

    author: str = Field("", max_length=64)
    state: str = Field("", pattern="^(open|settled)?$")


@api.get("/corrections", summary="What was corrected: before, since, why, by whom; the youngest first")
def corrections(query: CorrectionsQuery) -> dict[str, Any]:
    """A line for each statement about a piece."""
    with reading() as conn:
        rows = list_corrections(
            conn, author=query.author, material_id=query.material_id, after=query.after, limit=query.limit + 1
        )
    shown = rows[: query.limit]
    following = cursor_of(shown[-1]) if len(rows) > query.limit else None
    return {"items": [dict(row._mapping) for row in shown], "next": following, **as_of()}


@api.get("/correction-cases", summary="Corrections that were asked for and not carried out")
def correction_cases(query: CasesQuery) -> dict[str, Any]:
    """The pieces that stand in the way are in `blockers`."""
    with reading() as conn:
        rows = list_cases(conn, author=query.author, state=query.state, after=query.after, limit=query.limit + 1)
    shown = rows[: query.limit]
    more = len(rows) > query.limit
    return {"items": [as_json(row) for row in shown], "next": shown[-1].case_id if more else None, **as_of()}


def as_json(case: Row[Any]) -> dict[str, Any]:
    """A case with its parts read."""
    return dict(case._mapping) | {
        name: msgspec.json.decode(getattr(case, name)) for name in ("changes", "blockers", "asked")
    }
