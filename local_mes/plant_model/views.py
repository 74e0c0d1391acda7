"""Pages of the plant model: the drawing, a unit's parameters within their ranges, the text, its versions."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from functools import partial
from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from local_mes.context import plant
from local_mes.model.domain import PlantModel
from local_mes.model.service import load_model
from local_mes.plant_model import service
from local_mes.plant_model.drawing import draw
from local_mes.plant_model.parameters import set_parameters
from local_mes.plant_model.ranges import read_value, settings_of
from shared.errors import BadInput, BadSetup
from shared.performance.queries import states
from shared.web.accounts import names_of
from shared.web.context import actor, node, reading, requires
from shared.web.features import Feature, MenuItem
from shared.web.forms import command_id, keeps_input, read_text
from shared.web.listing import Column, answer_list
from shared.web.paging import Page, Paging, cut

bp = Blueprint("plant_model", __name__, url_prefix="/model", template_folder="templates")
ENGINEER = "engineer"
SIGNS = {"run": "done", "stop": "attention", "setup": "normal", "planned": "normal", "no_data": "nodata"}
COLUMNS = (
    Column("version", "Version", link="plant_model.version", link_arg="number"),
    Column("saved_ms", "Saved", show="when"),
    Column("saved_by", "By"),
    Column("reason", "Why"),
    Column("state", "State", show="badge"),
)


@bp.get("/")
def model() -> str:
    """The plant as it runs now, drawn; and whether another version waits for the next start."""
    here = plant()
    with reading() as conn:
        now = {row.unit: row.state for row in states(conn, node().code)}
        last = service.find_last(conn)
    shown = {"drawing": draw(here.model, now), "model": here.model, "last": last}
    try:
        waits, broken = load_model(here.settings.model) != here.model, ""
    except BadSetup as error:  # somebody changed it on the machine; what runs goes on
        waits, broken = False, error.what
    return render_template("plant_model/model.html", waits=waits, broken=broken, signs=SIGNS, **shown)


@bp.get("/units/<code>")
def unit(code: str) -> str:
    """One unit: what it is, and its parameters with the ranges that standards permit."""
    saved = load_model(plant().settings.model)
    found = saved.get_unit(code)
    with reading() as conn:
        settings = settings_of(conn, node().code, saved, found)
    mark = service.mark_of(service.current_text(plant()))
    return render_template("plant_model/unit.html", unit=found, settings=settings, mark=mark, model=saved)


@bp.post("/units/<code>")
@requires(ENGINEER)
@keeps_input(unit)
def set_unit(code: str) -> BaseResponse:
    """New values for a unit's parameters: a version of the model with nothing else changed."""
    here = plant()
    saved = load_model(here.settings.model)
    with reading() as conn:
        settings = settings_of(conn, node().code, saved, saved.get_unit(code))
    typed = [s for s in settings if f"p-{s.name}" in request.form and not s.chosen_elsewhere]
    wanted = [(s, read_value(s, request.form[f"p-{s.name}"])) for s in typed]
    changed = {s.name: value for s, value in wanted if value != s.value}
    text = set_parameters(service.current_text(here), code, changed)
    number = service.save(here, text, read_text("mark", "Version"), _reason(), actor=actor(), command_id=command_id())
    flash(f"Version {number} of the model is saved. It takes effect with the next start.", "done")
    return redirect(url_for("plant_model.unit", code=code))


@bp.get("/text")
@requires(ENGINEER)
def text() -> str:
    """The model's text, to be changed."""
    now = service.current_text(plant())
    shown = request.form.get("text", now)
    mark = request.form.get("mark") or service.mark_of(now)
    return render_template(
        "plant_model/text.html", text=shown, mark=mark, closed=service.find_closed(plant()), **_checked(shown)
    )


@bp.post("/text")
@requires(ENGINEER)
@keeps_input(text)
def save_text() -> BaseResponse | str:
    """Save what was typed as the next version, or only look at what it would mean."""
    if request.form.get("do") == "check":
        return text()
    typed = read_text("text", "Model", most=service.TEXT_MAX) + "\n"
    mark, reason = read_text("mark", "Version"), _reason()
    number = service.save(plant(), typed, mark, reason, actor=actor(), command_id=command_id())
    flash(f"Version {number} of the model is saved. It takes effect with the next start.", "done")
    return redirect(url_for("plant_model.versions"))


@bp.post("/text/check")
@requires(ENGINEER)
def check_text() -> str:
    """What is wrong with what stands in the form, what standards would say to it, and its drawing."""
    return render_template("plant_model/check.html", **_checked(request.form.get("text", "")))


@bp.get("/versions")
def versions() -> str | Response:
    """Who changed what when, and why."""
    now = service.mark_of(service.current_text(plant()))
    with reading() as conn:
        last = service.find_last(conn)
    found = last is not None and last.sha256 != now
    read = partial(_read_versions, last.version if last is not None and not found else None)
    return answer_list("plant_model/versions.html", COLUMNS, read, last=last, found=found)


def _read_versions(saved: int | None, paging: Paging) -> Page[Any]:
    if paging.after and not (paging.after.isdecimal() and len(paging.after) < 10):
        raise BadInput("web.after", f"after={paging.after} is no version.", todo="Begin with the first page.")
    with reading() as conn:
        rows = service.list_versions(conn, int(paging.after) if paging.after else None, paging.limit + 1)
        names = names_of(conn, {row.saved_by for row in rows})
    page = cut(rows, paging, "version")
    return Page([_version_row(row, names, row.version == saved) for row in page], page.next)


def _version_row(row: Any, names: Mapping[str, str], saved: bool) -> dict[str, Any]:
    shown = {
        "version": row.version,
        "saved_ms": row.saved_ms,
        "saved_by": names.get(row.saved_by),
        "reason": row.reason,
    }
    return {**shown, "state": "the saved one" if saved else "", "state_state": "done"}


@bp.get("/versions/<int:number>")
def version(number: int) -> str:
    """One version with what differs from the one before it."""
    with reading() as conn:
        row = service.get_version(conn, number)
        before = service.get_version(conn, number - 1).text if number > 1 else ""
        names = names_of(conn, {row.saved_by})
    mark = service.mark_of(service.current_text(plant()))
    lines = list(_lines(before, row.text)) if before else []
    return render_template("plant_model/version.html", row=row, lines=lines, names=names, mark=mark)


@bp.post("/versions/<int:number>/back")
@requires(ENGINEER)
@keeps_input(version)
def back(number: int) -> BaseResponse:
    """Make an earlier version the plant's model again: a new version with its text."""
    with reading() as conn:
        row = service.get_version(conn, number)
    mark, reason = read_text("mark", "Version"), f"back to version {number}: {_reason()}"
    made = service.save(plant(), row.text, mark, reason, actor=actor(), command_id=command_id())
    flash(f"Version {made} has the text of version {number}. It takes effect with the next start.", "done")
    return redirect(url_for("plant_model.versions"))


def _reason() -> str:
    return read_text("reason", "Reason")


def _checked(typed: str) -> dict[str, Any]:
    """What there is to say of a text: its fault, or what would follow from it."""
    here = plant()
    typed = typed.replace("\r\n", "\n").rstrip("\n") + "\n"
    lines: list[tuple[str, str]] = []
    try:
        service.check_length(typed)  # before anything is compared
        lines = list(_lines(service.current_text(here), typed))
        made: PlantModel = service.check(here, typed)
    except BadInput as error:
        return {"fault": error, "lines": lines, "drawing": None, "binding": None, "signs": SIGNS}
    with reading() as conn:
        binding = service.binding_of(conn, here, made)
    return {"fault": None, "lines": lines, "drawing": draw(made, {}), "binding": binding, "signs": SIGNS}


def _lines(before: str, after: str) -> list[tuple[str, str]]:
    """Sign and text of the lines that differ, with two around them."""
    told = difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=2)
    return [(line[:1], line[1:]) for line in told if not line.startswith(("---", "+++"))][:400]


FEATURE = Feature(pages=(bp,), menu=(MenuItem("Standards", "Plant model", "plant_model.model"),))
