"""Pages of devices: how each does, what to ask of it, what it was asked; and the page that a scanner types into."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from markupsafe import Markup
from werkzeug.wrappers import Response as BaseResponse

from local_mes.context import plant
from local_mes.level2.devices import jobs, keyboard
from local_mes.level2.devices.api import TESTERS, WORKERS, ask
from local_mes.level2.devices.api import bp as api
from local_mes.level2.devices.label import to_svg
from local_mes.level2.devices.reads import find_device_views, find_half_weighed, find_jobs, find_last_sample
from local_mes.level2.links import Link, load_links
from local_mes.level2.views import LINK_SIGNS
from local_mes.level2.workbench import DOWN_SIGNS
from shared.material.queries import find_piece
from shared.transfers.vehicles import find_weighings
from shared.web.accounts import names_of
from shared.web.context import actor, person, reading, requires
from shared.web.features import Feature, MenuItem
from shared.web.forms import command_id, keeps_input, read_choice, read_number, read_text

bp = Blueprint("devices", __name__, url_prefix="/devices", template_folder="templates")
COPIES_MAX = 20
VEHICLES_SHOWN = 15
VALIDITY_SIGNS = {"good": "normal", "soon": "attention", "expired": "alarm"}
VERBS = {"Print": "Print the label", "Mark": "Mark the piece", "Weigh": "Weigh the piece"} | {
    "Zero": "Set to zero",
    "Tare": "Take as tare",
    "ClearTare": "Clear the tare",
}
TESTS = {"Print": "Print a test label", "Mark": "Mark a test", "Weigh": "Test reading"}


@bp.get("/")
def devices() -> str:
    """All devices, and the newest jobs; asked for by its own live part it answers with that alone."""
    here = plant()
    plan = load_links(here.settings)
    rows = find_jobs(here, plan)
    fragment = request.headers.get("HX-Request") == "true"
    return render_template(
        "devices/devices_live.html" if fragment else "devices/devices.html",
        devices=find_device_views(here, plan),
        jobs=rows,
        **_signs(rows),
    )


def _signs(rows: list[Any]) -> dict[str, Any]:
    with reading() as conn:
        names = names_of(conn, {str(row.fields["by"]) for row in rows if row.fields.get("by")})
    return {
        "signs": LINK_SIGNS,
        "down_signs": DOWN_SIGNS,
        "validity_signs": VALIDITY_SIGNS,
        "names": names,
        "may_ask": person().may(WORKERS),
        "may_test": person().may(TESTERS),
    }


@bp.get("/<code>")
def device(code: str) -> str:
    """One device: what it says, one task, its jobs."""
    here = plant()
    plan = load_links(here.settings)
    link = jobs.get_device(plan, code)
    rows = find_jobs(here, plan, code)
    number = request.values.get("piece", "").strip()[:64]
    with reading() as conn:
        piece = find_piece(conn, number, here.code) if number else None
        svg = _preview(conn, link, piece) if link.kind == "printer" else ""
        sample = find_last_sample(here, link) if link.kind == "spectrometer" else ([], [])
        vehicles = find_weighings(conn, here.code, VEHICLES_SHOWN) if link.kind == "weighbridge" else ()
    return render_template(
        "devices/device.html",
        device=next(one for one in find_device_views(here, plan) if one.code == code),
        does=jobs.tasks_of(link),
        tests=TESTS,
        verbs=VERBS,
        number=number,
        piece=piece,
        preview=svg,
        vehicles=vehicles,
        half_weighed=find_half_weighed(here, link, vehicles) if link.kind == "weighbridge" else (),
        sample=sample,
        copies_max=COPIES_MAX,
        jobs=rows,
        **_signs(rows),
    )


def _preview(conn: Any, link: Link, piece: Any) -> Markup:
    """The label as it comes out. The text on it is escaped where it is drawn."""
    return Markup(to_svg(jobs.layout_of(link), jobs.values_of(plant(), conn, piece)))


@bp.post("/<code>")
@requires(*WORKERS)
@keeps_input(device)
def post_job(code: str) -> BaseResponse:
    """Ask the device for something."""
    what, test = read_choice("what", "Job", VERBS), "test" in request.form
    needs = what in ("Print", "Mark", "Weigh") and not test
    copies = read_number("copies", "Copies", least=1, most=COPIES_MAX) if what == "Print" and not test else 1
    piece = read_text("piece", "Piece", most=64, needed=needs)
    made = ask(code, jobs.Job(command_id(), actor(), what, piece, copies, test))
    flash(f"{TESTS[what] if test else VERBS[what]}: {made['piece'] or code} is in the queue of {code}.", "done")
    return redirect(url_for("devices.device", code=code))


@bp.post("/<code>/jobs/<int:down_id>/withdraw")
@requires(*WORKERS)
def withdraw(code: str, down_id: int) -> BaseResponse:
    """Take a job back."""
    jobs.withdraw_job(plant(), down_id, f"by {person().name}")
    flash("The job is withdrawn.", "done")
    return redirect(url_for("devices.device", code=code))


@bp.get("/scan")
def scan() -> str:
    """The field that a scanner types into; what it found last is above it."""
    here = plant()
    found, piece = keyboard.last_scan(here, request.args.get("at", type=int)), None
    if found and found.number:
        with reading() as conn:
            piece = find_piece(conn, found.number)
    stations = keyboard.find_stations(load_links(here.settings))
    return render_template(
        "devices/scan.html", found=found, piece=piece, stations=stations, station=request.args.get("station", "")
    )


@bp.post("/scan")
@requires(*WORKERS)
@keeps_input(scan)
def post_scan() -> BaseResponse:
    """Keep a scan as any other message of its station; then show what it names."""
    code = read_text("code", "Code")
    station = request.form.get("station", "")
    at = keyboard.take(plant(), station, code)
    return redirect(url_for("devices.scan", at=at, station=station))


FEATURE = Feature(
    pages=(bp,),
    apis=(api,),
    menu=(
        MenuItem("Production", "Devices and labels", "devices.devices"),
        MenuItem("Material", "Scan", "devices.scan"),
    ),
)
