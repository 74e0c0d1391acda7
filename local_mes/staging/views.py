"""The page of a trial in a staging copy: begun here, followed here, read here, and put in force from here."""

from __future__ import annotations

from flask import Blueprint, Response, current_app, flash, make_response, redirect, render_template, url_for
from werkzeug.wrappers import Response as BaseResponse

from local_mes.context import plant
from local_mes.staging.service import Trials
from local_mes.standards import own
from local_mes.standards.own_api import WRITERS
from shared.web import forms
from shared.web.context import actor, requires
from shared.web.features import Feature

bp = Blueprint("staging", __name__, template_folder="templates")
AGAIN_S = 2
DAY = 10


@bp.get("/standards/own/<standard_id>/<int:number>/staged")
@requires(*WRITERS)
def staged(standard_id: str, number: int) -> Response:
    """How far the trial is, or what came of it."""
    standing = _trials().standing
    mine = (standing.standard_id, standing.version) == (standard_id, number)
    yesterday = plant().model.calendar.production_day(plant().clock.now_ms() - 86_400_000)
    page = render_template(
        "staging/staged.html", standard_id=standard_id, number=number, t=standing, mine=mine, yesterday=yesterday
    )
    answer = make_response(page)
    if mine and standing.runs:
        answer.headers["Refresh"] = str(AGAIN_S)
    return answer


@bp.post("/standards/own/<standard_id>/<int:number>/staged")
@requires(*WRITERS)
@forms.keeps_input(staged)
def start(standard_id: str, number: int) -> BaseResponse:
    """Begin one."""
    _trials().start(plant(), standard_id, number, forms.read_text("day", "Day", most=DAY))
    return redirect(url_for("staging.staged", standard_id=standard_id, number=number))


@bp.post("/standards/own/<standard_id>/<int:number>/staged/stop")
@requires(*WRITERS)
def stop(standard_id: str, number: int) -> BaseResponse:
    """End it before its time."""
    _trials().stop()
    return redirect(url_for("staging.staged", standard_id=standard_id, number=number))


@bp.post("/standards/own/<standard_id>/<int:number>/staged/deploy")
@requires(*WRITERS)
@forms.keeps_input(staged)
def deploy(standard_id: str, number: int) -> BaseResponse:
    """Put in force exactly what was tried, with what came of it on record."""
    standing, reason = _trials().standing, forms.read_text("reason", "Reason")
    said = f"{standing.day}, in a staging copy: {standing.result['text']}" if standing.result else ""
    own.deploy(plant(), standard_id, number, standing.sha256, reason, actor(), forms.command_id(), staged=said)
    flash("It is in force, and the group is told.")
    return redirect(url_for("own_standards.version", standard_id=standard_id, number=number))


def _trials() -> Trials:
    """The trials of this process, which is the only one of the plant's console."""
    found: Trials = current_app.extensions.setdefault("strandline.staging", Trials())
    return found


FEATURE = Feature(pages=(bp,))
