"""The crane's tablet: jobs in order, one touch to confirm each, and a queue in the browser for the holes in the radio."""

from __future__ import annotations

import re
from typing import Any

from flask import Blueprint, flash, redirect, render_template, url_for
from sqlalchemy import Connection
from werkzeug.wrappers import Response as BaseResponse

from local_mes.context import plant
from local_mes.stock import jobs
from local_mes.stock.api import YARD
from local_mes.stock.crane_api import CRANE
from local_mes.stock.crane_api import bp as api
from local_mes.stock.service import Command, places_of
from shared.errors import NotFound
from shared.ids import new_id
from shared.stock.queries import closed_jobs, open_jobs
from shared.web.context import actor, reading, requires
from shared.web.features import Feature, MenuItem
from shared.web.forms import command_id, keeps_input, read_choice, read_text

bp = Blueprint("crane", __name__, url_prefix="/crane", template_folder="templates")
DONE_SHOWN = 8
FIRST_CRANE = "CR1"
"""What a plant whose model names no crane calls its first one."""


@bp.get("/")
def cranes() -> str:
    """Every crane with how much it has to do."""
    here = plant()
    with reading() as conn:
        rows = open_jobs(conn, here.code)
    names = jobs.cranes_of(here, [row.crane for row in rows]) or [FIRST_CRANE]
    counts = {name: sum(row.crane == name for row in rows) for name in names}
    return render_template("stock/cranes.html", counts=counts)


@bp.get("/<code>")
def crane(code: str) -> str:
    """The tablet's page."""
    _check(code)
    here = plant()
    with reading() as conn:
        done = closed_jobs(conn, here.code, code, DONE_SHOWN)
        listed = _listed(conn, code)
    return render_template("stock/crane.html", code=code, done=done, places=sorted(places_of(here.model)), **listed)


@bp.get("/<code>/list")
def crane_list(code: str) -> str:
    """The list alone, fetched again while the page is open."""
    _check(code)
    with reading() as conn:
        return render_template("stock/crane_list.html", code=code, **_listed(conn, code))


@bp.post("/<code>/done")
@requires(*YARD)
@keeps_input(crane)
def done(code: str) -> BaseResponse:
    """Without JavaScript: the same touch as a form."""
    told = jobs.confirm_job(plant(), _command(), read_text("job_id", "Job", most=32))
    flash(f"{told['number']} is at {told['place']}.", "done")
    return redirect(url_for("crane.crane", code=code))


@bp.post("/<code>/plan")
@requires("yard", "lead", "planner")
@keeps_input(crane)
def plan(code: str) -> BaseResponse:
    """A job at the end of the list."""
    _check(code)
    kind = read_choice("kind", "What", jobs.KINDS)
    number, place = read_text("piece", "Piece", most=64), read_text("to", "To", most=64)
    why = read_text("why", "Why", most=200, needed=False)
    jobs.plan_job(plant(), _command(), jobs.NewJob(code, kind, number, place, why))
    flash(f"{code} is to {kind} {number}.", "done")
    return redirect(url_for("crane.crane", code=code))


def _listed(conn: Connection, code: str) -> dict[str, Any]:
    here = plant()
    rows = open_jobs(conn, here.code, code)
    return {"jobs": rows, "commands": {row.job_id: new_id(here.clock) for row in rows}, "crane_ms": here.clock.now_ms()}


def _check(code: str) -> None:
    if not re.match(CRANE, code):
        raise NotFound("crane.unknown", f"{code!r} is no crane.", todo="A crane's code is like CR1.")


def _command() -> Command:
    return Command(command_id(), actor())


FEATURE = Feature(pages=(bp,), apis=(api,), menu=(MenuItem("Material", "Crane jobs", "crane.cranes"),))
