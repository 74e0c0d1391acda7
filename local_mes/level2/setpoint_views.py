"""The page of set-points: a form a kind, and what became of the last ones, looked at again every second."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from local_mes.context import plant
from local_mes.level2 import queries, setpoints
from local_mes.level2.links import load_links
from local_mes.level2.setpoint_api import SENDERS
from local_mes.level2.setpoint_api import bp as api
from local_mes.level2.telegrams.layout import Field
from local_mes.level2.views import LINK_SIGNS
from local_mes.level2.workbench import DOWN_SIGNS
from shared.errors import BadInput
from shared.web.accounts import names_of
from shared.web.context import actor, reading, requires
from shared.web.features import Feature, MenuItem
from shared.web.forms import command_id, keeps_input, read_text

bp = Blueprint("setpoints", __name__, url_prefix="/level2/setpoints", template_folder="templates")
SHOWN = 30


@bp.get("/")
def listing() -> str:
    """All set-points with their forms; asked for by its own live part it answers with that alone."""
    here = plant()
    rows = setpoints.find_sent(here, SHOWN)
    with reading() as conn:
        names = names_of(conn, {row.asked_by for row in rows} - {""})
    shown: dict[str, Any] = {"sent": rows, "names": names, "signs": DOWN_SIGNS, "senders": SENDERS}
    if request.headers.get("HX-Request") == "true":
        return render_template("level2/setpoints_live.html", **shown)
    return render_template(
        "level2/setpoints.html",
        points=setpoints.find_setpoints(load_links(here.settings)),
        states={view.link: view for view in queries.find_links(here)},
        link_signs=LINK_SIGNS,
        is_text=setpoints.is_text,
        **shown,
    )


@bp.post("/")
@requires(*SENDERS)
@keeps_input(listing)
def send() -> BaseResponse:
    """Send one."""
    here = plant()
    link, message = read_text("link", "Link", most=64), read_text("message", "Set-point", most=64)
    points = setpoints.find_setpoints(load_links(here.settings))
    point = next((one for one in points if (one.link.code, one.message) == (link, message)), None)
    fields = {f.name: _typed(f) for f in point.fields} if point else {}
    piece = read_text("piece", "Piece", most=64, needed=False)
    sent = setpoints.send(here, link, message, fields, piece=piece, actor=actor(), command_id=command_id())
    flash(f"{message} is {sent.state}. What Level 2 answers stands below within seconds.", "done")
    return redirect(url_for("setpoints.listing") + "#sent")


@bp.post("/<int:down_id>/withdraw")
@requires(*SENDERS)
@keeps_input(listing)
def withdraw(down_id: int) -> BaseResponse:
    """Take one back."""
    setpoints.take_back(plant(), down_id, actor())
    flash("It is withdrawn. If it was on its way already the unit may have taken it: look at the unit.", "done")
    return redirect(url_for("setpoints.listing") + "#sent")


def _typed(f: Field) -> int | float | str | None:
    text = request.form.get(f"field-{f.name}", "").strip()
    if setpoints.is_text(f):
        return text
    if not text:
        return None
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    raise BadInput("form.number", f"{f.name} {text!r} is no number.", todo="Type digits only.")


FEATURE = Feature(pages=(bp,), apis=(api,), menu=(MenuItem("Production", "Set-points", "setpoints.listing", SENDERS),))
