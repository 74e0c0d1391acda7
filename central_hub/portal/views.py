"""The group on one page: plants, lanes, cases, conformance; each with the time up to which it is complete."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, render_template, request
from sqlalchemy import Connection

from central_hub.conformance.part import differing
from central_hub.conformance.service import read_matrix
from central_hub.conformance.words import SIGNS, text_of
from central_hub.context import hub
from central_hub.hub import Hub
from central_hub.plants.queries import PlantLine, list_plants
from central_hub.portal import queries
from central_hub.portal.queries import Stock
from shared.web.context import reading
from shared.web.features import Feature, MenuItem

DIFFERING_SHOWN = 12
"""Cells of the conformance on the first page: what is in order needs no line."""
bp = Blueprint("portal", __name__, template_folder="templates")


@dataclass(frozen=True, slots=True)
class Tile:
    """One plant on the first page."""

    plant: PlantLine
    stock: Stock
    day: str
    good_g: int


@bp.get("/")
def home() -> str:
    """The group on one page; the browser asks again for the live part."""
    here = hub()
    with reading() as conn:
        shown = read_group(conn, here)
    live = request.headers.get("HX-Request") == "true"
    return render_template("portal/group_live.html" if live else "portal/group.html", **shown)


def read_group(conn: Connection, here: Hub) -> dict[str, Any]:
    """Everything of the page, of one moment."""
    plants = list_plants(conn, here.code, here.settings.sync.away_after_s)
    stocks = queries.stocks(conn)
    cases = queries.open_cases(conn)
    matrix = read_matrix(conn, here)
    return {
        "tiles": [Tile(p, stocks.get(p.code, Stock()), *queries.good_today(conn, p.code)) for p in plants],
        "names": {p.code: p.name or p.code for p in plants},
        "lanes": queries.lanes(conn, here.clock.now_ms()),
        "cases": cases[: queries.CASES_SHOWN],
        "case_count": len(cases),
        "episodes": queries.open_episodes(conn),
        "matrix": matrix,
        "differing": differing(matrix, DIFFERING_SHOWN),
        "text_of": text_of,
        "signs": SIGNS,
    }


FEATURE = Feature(pages=(bp,), menu=(MenuItem("Now", "Group", "portal.home"),))
