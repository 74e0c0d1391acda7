"""The group on one page: plants, lanes, cases, conformance; each with the time up to which it is complete."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, render_template, request
from sqlalchemy import Connection

from central_hub.context import hub
from central_hub.hub import Hub
from central_hub.plants.queries import PlantLine, list_plants
from central_hub.portal import queries
from central_hub.portal.queries import Stock
from shared.standards.queries import Adopted, list_deviations, list_in_force, list_versions
from shared.web.context import reading
from shared.web.features import Feature, MenuItem

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
    return {
        "tiles": [Tile(p, stocks.get(p.code, Stock()), *queries.good_today(conn, p.code)) for p in plants],
        "names": {p.code: p.name or p.code for p in plants},
        "lanes": queries.lanes(conn, here.clock.now_ms()),
        "cases": cases[: queries.CASES_SHOWN],
        "case_count": len(cases),
        "episodes": queries.open_episodes(conn),
        "matrix": read_matrix(conn, here, [p.code for p in plants]),
    }


def read_matrix(conn: Connection, here: Hub, plants: list[str]) -> list[dict[str, Any]]:
    """Standards by plants: the published version, and what each plant runs of it."""
    published = {row.standard_id: row.version for row in list_versions(conn, here.code, "published")}
    running: dict[str, dict[str, Adopted]] = {}
    for adopted in list_in_force(conn):
        running.setdefault(adopted.standard_id, {})[adopted.plant] = adopted
    deviating = {(d.plant, d.standard_id) for d in list_deviations(conn, None, here.clock.now_ms())}
    return [
        {
            "standard": name,
            "version": published.get(name),
            "cells": [
                _cell(running.get(name, {}).get(plant), published.get(name), (plant, name) in deviating)
                for plant in plants
            ],
        }
        for name in sorted({*published, *running})
    ]


def _cell(adopted: Adopted | None, published: int | None, deviates: bool) -> tuple[str, str]:
    """Sign and words of one cell."""
    if adopted is None:
        return "", "–"
    if deviates:
        return "attention", f"v{adopted.version}, deviates"
    if published is not None and adopted.version != published:
        return "attention", f"v{adopted.version}"
    return "normal", f"v{adopted.version}"


FEATURE = Feature(pages=(bp,), menu=(MenuItem("Now", "Group", "portal.home"),))
