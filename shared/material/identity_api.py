"""JSON read of uncertain identities, the same at plants and at the hub."""

from __future__ import annotations

from typing import Any

import msgspec
from flask_openapi import Tag
from pydantic import Field
from sqlalchemy import Connection, Row

from shared.material.identity_queries import candidates_of, list_sets
from shared.web.api_blueprint import APIBlueprint
from shared.web.asof import as_of
from shared.web.context import reading
from shared.web.paging import PageQuery

tag = Tag(name="identity", description="Pieces that are not certain of themselves")
api = APIBlueprint("identity_sets_api", __name__, url_prefix="/api/v1", abp_tags=[tag], abp_security=[{"bearer": []}])


class SetsQuery(PageQuery):
    """Whose, and whether they are resolved."""

    author: str = Field("", max_length=64)
    state: str = Field("", pattern="^(open|resolved)?$")


@api.get("/identity-sets", summary="Sets of pieces that may be each other")
def identity_sets(query: SetsQuery) -> dict[str, Any]:
    """The youngest first; `found` says what was booked for which piece belongs to which."""
    with reading() as conn:
        rows = list_sets(conn, author=query.author, state=query.state, after=query.after, limit=query.limit + 1)
        shown = [as_json(conn, row) for row in rows[: query.limit]]
    return {"items": shown, "next": shown[-1]["set_id"] if len(rows) > query.limit else None, **as_of()}


def as_json(conn: Connection, row: Row[Any]) -> dict[str, Any]:
    """A set with its candidates."""
    names = ("material_id", "number", "kind", "grade", "heat_number", "state", "place", "mass_g", "truly")
    candidates = [{n: getattr(c, n) for n in names} for c in candidates_of(conn, row.author, row.set_id)]
    parts = {name: msgspec.json.decode(getattr(row, name)) for name in ("numbers", "found")}
    return dict(row._mapping) | parts | {"candidates": candidates}
