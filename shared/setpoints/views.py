"""Set-points on record: a list, its JSON and a section of the piece page, the same at plant and hub."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from flask import Blueprint, Response, render_template
from flask_openapi import Tag
from markupsafe import Markup
from pydantic import Field
from sqlalchemy import Connection, Row

from shared.setpoints.projection import OPEN
from shared.setpoints.queries import list_set_points, set_points_of
from shared.web.accounts import names_of
from shared.web.api_blueprint import APIBlueprint
from shared.web.asof import as_of
from shared.web.context import reading
from shared.web.features import Feature, MenuItem
from shared.web.listing import Column, Filter, answer_list
from shared.web.paging import Page, PageQuery, Paging, cut

bp = Blueprint("set_points", __name__, url_prefix="/set-points", template_folder="templates")
tag = Tag(name="level2", description="Connections to Level 2, messages to repair, orders sent down")
api = APIBlueprint("set_points_api", __name__, url_prefix="/api/v1", abp_tags=[tag], abp_security=[{"bearer": []}])
OF_PIECE_MAX = 20
SIGNS = {OPEN: "attention", "confirmed": "done", "refused": "attention", "withheld": "normal"}
COLUMNS = (
    Column("asked_ms", "Asked for", show="when"),
    Column("author", "Plant"),
    Column("by", "By"),
    Column("unit", "Unit"),
    Column("what", "Set-point"),
    Column("said", "Values"),
    Column("number", "Piece", show="code", link="pieces.piece", link_key="material_id"),
    Column("state", "State", show="badge"),
    Column("answer", "Level 2 says"),
)


class SetPointQuery(PageQuery):
    """Narrows the list."""

    author: str = Field("", max_length=64)
    state: str = Field("", max_length=16)
    q: str = Field("", max_length=64, description="number of a piece, unit or message, whole")


@bp.get("/")
def listing() -> str | Response:
    """All of them, the youngest first."""
    filters = (Filter("author", "Plant"), Filter("state", "State", tuple((s, s) for s in SIGNS)), Filter("q", "Find"))
    return answer_list("setpoints_record/list.html", COLUMNS, _read, filters=filters)


@api.get("/set-points", summary="Set-points on record, the youngest first")
def get_set_points(query: SetPointQuery) -> dict[str, Any]:
    """Who sent which, for which piece, and what became of it; `asked_by` is an opaque id of a person of its plant."""
    with reading() as conn:
        rows = list_set_points(conn, query.author, query.state, query.q, query.after, query.limit)
    page = cut(rows, Paging(limit=query.limit), "setpoint_id")
    items = [{**row._mapping, "values": json.loads(row.values)} for row in page]
    return {"items": items, "next": page.next, **as_of()}


def piece_section(conn: Connection, piece: Row[Any]) -> Markup | None:
    """What was set for a piece, on its page; None for one that nobody set anything for."""
    rows = set_points_of(conn, piece.material_id, OF_PIECE_MAX)
    return Markup(render_template("setpoints_record/piece.html", rows=_shown(conn, rows))) if rows else None


def _read(paging: Paging) -> Page[Any]:
    with reading() as conn:
        wants = paging.wants
        rows = list_set_points(conn, wants("author"), wants("state"), wants("q"), paging.after, paging.limit)
        page = cut(rows, paging, "setpoint_id")
        return Page(_shown(conn, page.items), page.next)


def _shown(conn: Connection, rows: Sequence[Row[Any]]) -> list[dict[str, Any]]:
    names = names_of(conn, {row.asked_by for row in rows})
    return [
        {
            **row._mapping,
            "by": names.get(row.asked_by, f"a person of {row.author}"),
            "unit": row.unit or row.link,
            "what": row.title or row.message,
            "said": ", ".join(f"{name} {value}" for name, value in json.loads(row.values).items() if value != ""),
            "state_state": SIGNS.get(row.state, "normal"),
        }
        for row in rows
    ]


FEATURE = Feature(
    pages=(bp,), apis=(api,), menu=(MenuItem("Production", "Set-points on record", "set_points.listing"),)
)
