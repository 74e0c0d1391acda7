"""Pages of a pilot: what differs from the old MES, day by day, and what it told Level 2."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Blueprint, Response, render_template, request

from local_mes.context import plant
from local_mes.level2.heard import find_link
from local_mes.level2.links import load_links
from local_mes.level2.shadow.order_days import count_days
from local_mes.level2.shadow.orders import orders_of, read_orders
from local_mes.pilot import queries
from local_mes.pilot.api import bp as api
from local_mes.pilot.causes import WORDS
from local_mes.pilot.course import course
from local_mes.pilot.domain import KINDS
from shared.web.context import reading
from shared.web.features import Feature, MenuItem
from shared.web.listing import Column, Filter, answer_list
from shared.web.paging import Page, Paging, cut

bp = Blueprint("pilot", __name__, url_prefix="/pilot", template_folder="templates")
DAYS, PROBLEMS_SHOWN, OVERHEARD_SHOWN = 30, 10, 50
COLUMNS = (
    Column("day", "Day", show="code"),
    Column("number", "Piece", show="code", link="pieces.piece"),
    Column("kind", "What", show="badge"),
    Column("field", "Field"),
    Column("ours_shown", "Strandline"),
    Column("theirs_shown", "Old MES"),
    Column("cause_shown", "Look first at"),
    Column("hint", "Why", link="workbench.spooled", link_key="spool_id", link_arg="spool_id"),
)
CSV_COLUMNS = tuple(
    Column(name, name)
    for name in ("day", "number", "kind", "field", "ours", "theirs", "unit", "cause", "hint", "repair_id", "spool_id")
)
SIGNS = {"missing_here": "alarm", "missing_there": "attention", "differs": "attention"}


@bp.get("/")
def comparison() -> str | Response:
    """All differences, how many there were over the days, and what is late."""
    here = plant()
    if request.args.get("format") == "csv":
        return answer_list("", CSV_COLUMNS, _read, filters=_filters(()))
    with reading() as conn:
        days = queries.find_days(conn, DAYS)
        newest = days[-1] if days else None
        shown = {
            "picture": course(days),
            "newest": newest,
            "causes": queries.count_causes(conn, newest.day) if newest else [],
            "problems": queries.find_problems(conn, newest.day, PROBLEMS_SHOWN) if newest else [],
            "bad_files": queries.find_bad_files(conn, PROBLEMS_SHOWN),
        }
    return answer_list(
        "pilot/comparison.html",
        COLUMNS,
        _read,
        filters=_filters([row.day for row in reversed(days)]),
        words=WORDS,
        is_set=here.settings.pilot is not None,
        **shown,
    )


def _filters(days: Sequence[str]) -> tuple[Filter, ...]:
    return (
        Filter("day", "Day", tuple((day, day) for day in days)),
        Filter("kind", "What", tuple((kind, kind.replace("_", " ")) for kind in KINDS)),
        Filter("field", "Field"),
        Filter("cause", "Look first at", tuple(WORDS.items())),
        Filter("q", "Piece"),
    )


def _read(paging: Paging) -> Page[Any]:
    wanted = {name: paging.wants(name) for name in ("day", "kind", "field", "cause", "q")}
    with reading() as conn:
        rows = queries.find_differences(conn, wanted, paging.after, paging.limit)
    return cut([{**row, **_shown(row)} for row in rows], paging, "place")


def _shown(row: Mapping[str, Any]) -> dict[str, str]:
    """A row as people read it: unit beside the value, the cause in words."""
    unit = f"\N{NO-BREAK SPACE}{row['unit']}" if row["unit"] else ""
    return {
        "kind_state": SIGNS[row["kind"]],
        "ours_shown": f"{row['ours']}{unit}" if row["ours"] else "",
        "theirs_shown": f"{row['theirs']}{unit}" if row["theirs"] else "",
        "cause_shown": WORDS.get(row["cause"], row["cause"]),
    }


@bp.get("/overheard/<code>")
def overheard(code: str) -> str:
    """What the old MES said to Level 2 on a link in shadow mode."""
    here = plant()
    plan = load_links(here.settings)
    link = find_link(plan, code)
    before = request.args.get("before", type=int)
    sends = orders_of(link, plan.layouts.get(code))
    rows = read_orders(here.spool, code, sends, OVERHEARD_SHOWN, before)
    days = count_days(here.spool, code, sends, plan.zone, here.clock.now_ms()) if before is None else []
    more = len(rows) == OVERHEARD_SHOWN
    return render_template("pilot/overheard.html", link=link, rows=rows, days=days, more=more)


FEATURE = Feature(
    pages=(bp,),
    apis=(api,),
    menu=(MenuItem("Node", "Compare with old MES", "pilot.comparison", ("engineer", "lead", "quality")),),
)
