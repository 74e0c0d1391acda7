"""Pages of launches: the list with the time each took, a file taken in, and one launch."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from central_hub.context import hub
from central_hub.launch import service
from central_hub.launch.api import api
from central_hub.launch.wish import read_wish
from shared.errors import BadInput
from shared.standards.as_yaml import TEXT_MAX, read_text
from shared.web import forms
from shared.web.context import actor, reading, requires
from shared.web.features import Feature, MenuItem

bp = Blueprint("launch", __name__, template_folder="templates")


@bp.get("/launches")
def launches() -> str:
    """All of them, and the form."""
    with reading() as conn:
        found, templates = service.list_launches(conn, hub()), service.list_templates(conn, hub())
    text = request.form.get("product", "")
    return render_template("launch/list.html", found=found, templates=templates, text=text, duration=duration)


@bp.post("/launches")
@requires("author")
@forms.keeps_input(launches)
def begin() -> BaseResponse:
    """Take in a file or what was typed."""
    sent = request.files.get("file")
    text = _decoded(sent.read(TEXT_MAX + 1)) if sent and sent.filename else forms.read_text("product", "Product")
    made = service.launch(hub(), read_wish(_values(text)), actor(), forms.command_id())
    flash("Product, route and rules are drafts and wait for their review.")
    return redirect(url_for("launch.one", launch_id=made))


@bp.get("/launches/<launch_id>")
def one(launch_id: str) -> str:
    """One: where each of its drafts is."""
    with reading() as conn:
        found = service.find_launch(conn, hub(), launch_id)
    return render_template("launch/one.html", launch=found, duration=duration)


def duration(ms: int | None) -> str:
    """`3 d 4 h`, `2 h 10 min`, `40 s`; a dash for what has not come yet."""
    if ms is None:
        return "–"
    seconds = ms // 1000
    days, hours, minutes = seconds // 86_400, seconds // 3_600 % 24, seconds // 60 % 60
    if days:
        return f"{days} d {hours} h"
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {seconds % 60} s"


def _decoded(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        raise BadInput("launch.no_text", "The file is no text in UTF-8.", todo="Save it as YAML or JSON.") from error


def _values(text: str) -> dict[str, Any]:
    values = read_text(text)
    return {"source": "file", **values} if isinstance(values, dict) else {}


FEATURE = Feature(pages=(bp,), apis=(api,), menu=(MenuItem("Standards", "New products", "launch.launches"),))
