"""Loading at the gate's tablet: a touch a piece, the vehicle's weight in view, and the same queue in the browser."""

from __future__ import annotations

import re

from flask import Blueprint, Response, flash, redirect, render_template, url_for
from werkzeug.wrappers import Response as BaseResponse

from local_mes.context import plant
from local_mes.transfers import load_errors, service
from local_mes.transfers.api import SHIPPERS
from local_mes.transfers.gate_views import ASSETS, tablet_worker
from local_mes.transfers.load_api import LIMIT_KG_MAX, PLANNERS
from local_mes.transfers.load_api import bp as api
from local_mes.transfers.load_reads import read_loading
from shared.errors import BadInput
from shared.transfers.plan_queries import announced_to, open_plans
from shared.web import forms
from shared.web.context import actor, node, public, reading, requires
from shared.web.features import Feature, MenuItem

bp = Blueprint("loading", __name__, url_prefix="/transfers/loading", template_folder="templates")
HOUR_MS = 3_600_000


@bp.get("/")
def loads() -> str:
    """Loads that have not left, what is announced to us, and the form for a new plan."""
    with reading() as conn:
        rows, coming = open_plans(conn, node().code), announced_to(conn, node().code)
    return render_template("transfers/loading_loads.html", loads=rows, coming=coming, lanes=plant().model.lane)


@bp.post("/")
@requires(*PLANNERS)
@forms.keeps_input(loads)
def plan() -> BaseResponse:
    """A load is planned."""
    ways = {lane.code: lane for lane in plant().model.lane}
    lane = ways[forms.read_choice("lane", "Lane", ways)]
    hours = forms.find_number("hours", "Expected in", least=1, most=720, unit="h")
    command = service.PlanCommand(
        command_id=forms.command_id(),
        actor=actor(),
        to=lane.to,
        lane=lane.code,
        vehicle=forms.read_text("vehicle", "Train or truck", most=64),
        carrier=forms.read_text("carrier", "Carrier", most=64, needed=False),
        vehicles=_vehicles(forms.read_text("vehicles", "Wagons", most=2_000, needed=False)),
        pieces=tuple(forms.read_text("pieces", "Pieces", most=8_000, needed=False).split()),
        eta_ms=0 if hours is None else plant().clock.now_ms() + hours * HOUR_MS,
    )
    done = service.plan_load(plant(), command)
    return redirect(url_for("loading.load", number=done["number"]))


@bp.get("/shell")
@public
def shell() -> str:
    """A load's page without a load and without a person: what the worker keeps."""
    return render_template("transfers/loading_shell.html")


@bp.get("/worker.js")
@public
def worker() -> Response:
    """The worker of these pages; its text changes with every release, so that a browser takes the new one."""
    page = "^" + re.escape(url_for("loading.loads")) + "[^/]*$"
    return tablet_worker("loading", page, url_for("loading.shell"), (*ASSETS, "loading.js"))


@bp.get("/<number>")
def load(number: str) -> str:
    """One load: what lies on it, what waits for it, what else could go."""
    with reading() as conn:
        found = read_loading(conn, node().code, number)
    if not found:
        raise load_errors.unknown_plan(number, node().code)
    return render_template("transfers/loading.html", **found)


@bp.get("/<number>/list")
def load_list(number: str) -> str:
    """The lists alone, fetched again after a touch."""
    with reading() as conn:
        found = read_loading(conn, node().code, number)
    if not found:
        raise load_errors.unknown_plan(number, node().code)
    return render_template("transfers/loading_list.html", **found)


@bp.post("/<number>/piece")
@requires(*SHIPPERS)
@forms.keeps_input(load)
def piece(number: str) -> BaseResponse:
    """A piece is put on the vehicle; without JavaScript the same touch as a form."""
    wanted = forms.read_text("piece", "Piece", most=64)
    vehicle = forms.read_text("vehicle", "Vehicle", most=32, needed=False)
    done = service.load_piece(plant(), _touch(number, piece=wanted, vehicle=vehicle))
    flash(f"{done['number']} lies on {done['vehicle']}.", "done")
    return redirect(url_for("loading.load", number=number))


@bp.post("/<number>/off")
@requires(*SHIPPERS)
@forms.keeps_input(load)
def off(number: str) -> BaseResponse:
    """A piece is taken off."""
    done = service.unload_piece(plant(), _touch(number, piece=forms.read_text("piece", "Piece", most=64)))
    flash(f"{done['number']} is off {done['load']}.", "done")
    return redirect(url_for("loading.load", number=number))


@bp.post("/<number>/announce")
@requires(*PLANNERS)
@forms.keeps_input(load)
def announce(number: str) -> BaseResponse:
    """The addressee is told."""
    done = service.announce(plant(), _touch(number))
    flash(f"{done['pieces']} pieces of {done['number']} are announced.", "done")
    return redirect(url_for("loading.load", number=number))


@bp.post("/<number>/depart")
@requires(*SHIPPERS)
@forms.keeps_input(load)
def depart(number: str) -> BaseResponse:
    """The load leaves with what lies on it."""
    done = service.depart(plant(), _touch(number))
    stays = f" {', '.join(done['stays'])} stay here." if done["stays"] else ""
    flash(f"{done['number']} left with {done['pieces']} pieces.{stays}", "attention" if stays else "done")
    return redirect(url_for("transfers.load", number=done["number"]))


@bp.post("/<number>/cancel")
@requires(*PLANNERS)
@forms.keeps_input(load)
def cancel(number: str) -> BaseResponse:
    """The load does not leave."""
    done = service.cancel_load(plant(), _touch(number, note=forms.read_text("why", "Why")))
    flash(f"{done['number']} is cancelled; its pieces are free.", "done")
    return redirect(url_for("loading.loads"))


def _touch(number: str, *, piece: str = "", vehicle: str = "", note: str = "") -> service.LoadTouch:
    return service.LoadTouch(forms.command_id(), actor(), number, piece, vehicle, note=note)


def _vehicles(text: str) -> tuple[tuple[str, int], ...]:
    """Wagons one a line, each with its limit in kg after a blank, such as 'W1 60000'."""
    found = []
    for line in text.splitlines():
        code, _, limit = line.strip().partition(" ")
        limit = limit.strip().replace(",", "") or "0"
        if not code:
            continue
        if not limit.isdecimal() or int(limit) > LIMIT_KG_MAX:
            raise BadInput("form.limit", f"{line.strip()!r} names no limit in kg.", todo="Write W1 60000, one a line.")
        found.append((code, int(limit)))
    return tuple(found)


FEATURE = Feature(pages=(bp,), apis=(api,), menu=(MenuItem("Transfers", "Loading", "loading.loads"),))
