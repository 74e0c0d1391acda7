"""Figures of the shift and the day by unit, and the stops with their reasons."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from flask import Blueprint, Response, flash, redirect, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from local_mes.context import plant
from local_mes.performance import service
from local_mes.performance.api import bp as api
from shared.performance.figures import pareto
from shared.performance.queries import production_days, stops
from shared.web.context import actor, node, reading, requires
from shared.web.features import Feature, MenuItem
from shared.web.forms import command_id, keeps_input, read_text
from shared.web.listing import Column, Filter, answer_list
from shared.web.paging import Page, Paging

bp = Blueprint("performance", __name__, url_prefix="/figures", template_folder="templates")
COLUMNS = (
    Column("unit", "Unit", show="code"),
    Column("unit_class", "Class", show="words"),
    Column("input_g", "In", unit="t", show="tonnes"),
    Column("good_g", "Good", unit="t", show="tonnes"),
    Column("scrap_g", "Scrap", unit="t", show="tonnes"),
    Column("pieces", "Pieces", show="whole"),
    Column("yield_ppm", "Step yield", unit="%", show="percent"),
    Column("prime_yield_ppm", "Prime yield", unit="%", show="percent"),
    Column("good_g_per_h", "Rate", unit="t/h", show="tonnes"),
    Column("apt_ms", "Running", unit="min", show="minutes"),
    Column("delay_ms", "Standing", unit="min", show="minutes"),
)
STOP_COLUMNS = (
    Column("unit", "Unit", show="code"),
    Column("from_ms", "From", show="when"),
    Column("minutes_ms", "Minutes", unit="min", show="minutes"),
    Column("reason", "Reason", show="code"),
    Column("note", "Note"),
    Column("shift", "Shift"),
)


@bp.get("/")
def day() -> str | Response:
    """One production day, or one shift of it, by unit."""
    here = plant()
    with reading() as conn:
        days = production_days(conn, here.code) or [service.production_day(here)]
        found = service.figures(conn, here, _day(days), request.args.get("shift", ""))
    delays: dict[str, int] = {}
    for unit in found:
        for reason, ms in unit.delays_ms.items():
            delays[reason or "no reason yet"] = delays.get(reason or "no reason yet", 0) + ms
    rows = [asdict(u.figures) | {"unit": u.unit, "unit_class": u.unit_class, "delay_ms": u.delay_ms} for u in found]
    filters = (
        Filter("day", "Production day", tuple((d, d) for d in days)),
        Filter("shift", "Shift", tuple((s.name, s.name) for s in here.model.plant.shifts)),
    )
    return answer_list(
        "performance/day.html",
        COLUMNS,
        lambda paging: Page(rows),
        filters=filters,
        day=_day(days),
        pareto=pareto(delays),
        starts=here.model.plant.production_day_start,
    )


def _day(days: list[str]) -> str:
    wanted = request.args.get("day", "")
    return wanted if wanted in days else days[0]


@bp.get("/stops")
def stop_list() -> str | Response:
    """What stopped us, and for how long."""
    units = tuple((unit.code, unit.code) for unit in plant().model.unit)
    with reading() as conn:
        days, known = production_days(conn, node().code), service.reasons(conn)
    filters = (Filter("day", "Production day", tuple((d, d) for d in days)), Filter("unit", "Unit", units))
    choices = [(code, f"{text} ({code})") for code, text in known]
    return answer_list("performance/stops.html", STOP_COLUMNS, _read_stops, filters=filters, reasons=choices)


def _read_stops(paging: Paging) -> Page[Any]:
    days = [paging.wants("day")] if paging.wants("day") else []
    after = int(paging.after) if paging.after.isdigit() else 0
    with reading() as conn:
        rows = list(reversed(stops(conn, author=node().code, unit=paging.wants("unit"), days=days)))
    shown = rows[after : after + paging.limit]
    more = len(rows) > after + paging.limit
    return Page(
        [dict(r._mapping) | {"minutes_ms": r.to_ms - r.from_ms} for r in shown],
        str(after + paging.limit) if more else None,
    )


@bp.post("/stops/reason")
@requires("operator", "lead")
@keeps_input(stop_list)
def post_reason() -> BaseResponse:
    """Give a stop its reason."""
    said = service.correct_stop(
        plant(),
        read_text("stop_id", "Stop"),
        read_text("reason", "Reason"),
        read_text("note", "Note", needed=False),
        actor=actor(),
        command_id=command_id(),
    )
    flash(f"The stop of {said['unit']} now has the reason {said['reason']}.", "done")
    return redirect(url_for("performance.stop_list"))


FEATURE = Feature(
    pages=(bp,),
    apis=(api,),
    menu=(
        MenuItem("Figures", "Day and shift", "performance.day"),
        MenuItem("Figures", "Stops", "performance.stop_list"),
    ),
)
