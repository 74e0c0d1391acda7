"""JSON read of closed days, the same at plants and at the hub: by figures or by signature, and what changed since."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from flask_openapi import Tag
from pydantic import BaseModel, Field
from sqlalchemy import Connection

from shared.performance.balance_queries import changed_since, lines_of_close, list_closes
from shared.web.api_blueprint import APIBlueprint
from shared.web.asof import as_of
from shared.web.context import reading

tag = Tag(name="balance", description="Mass balance of operations and of production days")
api = APIBlueprint("closes_api", __name__, url_prefix="/api/v1", abp_tags=[tag], abp_security=[{"bearer": []}])
SHOWN_MAX = 100
"""Closes read at once; each is compared with what its operations say now."""


class ClosesQuery(BaseModel):
    """Whose; empty means any."""

    author: str = Field("", max_length=64)
    limit: int = Field(30, ge=1, le=SHOWN_MAX)


@api.get("/day-closes", summary="Closed production days, the youngest first")
def day_closes(query: ClosesQuery) -> dict[str, Any]:
    """`state` is closed, signed or reopened; an earlier close of the same day is replaced."""
    with reading() as conn:
        items = read_closes(conn, query.author, query.limit)
    return {"items": items, **as_of()}


def read_closes(conn: Connection, author: str = "", limit: int = 30) -> list[dict[str, Any]]:
    """Closes with their lines, their state, and by what each day has changed since its last close."""
    found, seen = [], set[tuple[str, str]]()
    for row in list_closes(conn, author, limit):
        key = (row.author, row.production_day)
        moved = [] if key in seen else changed_since(conn, row)
        state = "replaced" if key in seen else "reopened" if moved else "signed" if row.signed else "closed"
        seen.add(key)
        lines = [{n: getattr(line, n) for n in line.__struct_fields__} for line in lines_of_close(conn, row)]
        found.append(
            dict(row._mapping)
            | {
                "state": state,
                "lines": lines,
                "unexplained_g": sum(x["charged_g"] + x["added_g"] - x["produced_g"] - x["loss_g"] for x in lines),
                "moved": [asdict(m) | {"more_unexplained_g": m.more_unexplained_g} for m in moved],
            }
        )
    return found
