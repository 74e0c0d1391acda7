"""The plant's standards page: what runs here, which version, since when, what is missing, what deviates."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, url_for
from werkzeug.wrappers import Response as BaseResponse

from local_mes.context import plant
from local_mes.standards import service
from local_mes.standards.api import api
from local_mes.standards.asking_views import bp as asking_pages
from local_mes.standards.days import day_begins
from local_mes.standards.own_api import api as own_api
from local_mes.standards.own_views import bp as own_pages
from local_mes.standards.reading import read_standing
from shared.errors import NotFound
from shared.standards.deviation_form import read_verdict
from shared.standards.readable import sections
from shared.standards.talk_queries import list_proposals
from shared.web import forms
from shared.web.accounts import names_of
from shared.web.context import actor, reading, requires
from shared.web.features import Feature, MenuItem

bp = Blueprint("standards", __name__, template_folder="templates")


@bp.get("/standards")
def standards() -> str:
    """What runs here."""
    with reading() as conn:
        standing = read_standing(conn, plant())
        asked = service.list_asked(conn, plant())
        names = names_of(conn, {deviation.owner for deviation in standing.deviations})
    return render_template("standards/in_force.html", standing=standing, asked=asked, names=names)


@bp.get("/standards/<standard_id>")
def standard(standard_id: str) -> str:
    """One standard in force, readable, with this plant's values."""
    with reading() as conn:
        standing = read_standing(conn, plant())
    running = next((found for found in standing.running if found.adopted.standard_id == standard_id), None)
    if running is None or running.document is None:
        raise NotFound("standards.not_in_force", f"{standard_id} is not in force here.", todo="Look in the list.")
    with reading() as conn:
        proposals = [p for p in list_proposals(conn, plant().code) if p.standard_id == standard_id]
        mine = [d for d in standing.deviations if d.standard_id == standard_id]
        names = names_of(conn, {word.said_by for d in mine for word in d.past.words})
        figures = {d.deviation_id: service.figures_since(conn, plant(), running.document, d) for d in mine}
    return render_template(
        "standards/one.html",
        running=running,
        sections=sections(running.document),
        deviations=mine,
        proposals=proposals,
        figures=figures,
        names=names,
    )


@bp.post("/standards/<standard_id>/deviations")
@requires("engineer")
@forms.keeps_input(standard)
def deviate(standard_id: str) -> BaseResponse:
    """Declare a deviation: it ends with the plant's day that is named."""
    parameter = forms.read_text("parameter", "Parameter", most=64)
    value = forms.read_text("value", "Value", most=200)
    owner, reason = forms.read_text("owner", "Owner", most=64), forms.read_text("reason", "Reason")
    until = day_begins(forms.read_text("until", "Until"), days_later=1)
    service.declare(plant(), standard_id, parameter, value, owner, reason, until, actor(), forms.command_id())
    flash("The deviation is in force and the hub is told.")
    return redirect(url_for("standards.standard", standard_id=standard_id))


@bp.post("/standards/<standard_id>/deviations/<deviation_id>/propose")
@requires("engineer")
def propose(standard_id: str, deviation_id: str) -> BaseResponse:
    """Propose the deviation's value to the group."""
    reason = forms.read_text("reason", "Reason")
    with reading() as conn:
        name = names_of(conn, {actor()}).get(actor(), "an engineer")
    service.propose(plant(), deviation_id, reason, (actor(), name), forms.command_id())
    flash("Proposed. The group's standards office reads it, with your figures, when the line is up.")
    return redirect(url_for("standards.standard", standard_id=standard_id))


@bp.post("/standards/<standard_id>/deviations/<deviation_id>/renew")
@requires("engineer")
@forms.keeps_input(lambda standard_id, deviation_id: standard(standard_id))
def renew(standard_id: str, deviation_id: str) -> BaseResponse:
    """Let the deviation go on to the end of a later day."""
    until, reason = forms.read_text("until", "Until"), forms.read_text("reason", "Reason")
    service.renew(plant(), deviation_id, day_begins(until, days_later=1), reason, actor(), forms.command_id())
    flash("Renewed. It waits for approval again.")
    return redirect(url_for("standards.standard", standard_id=standard_id))


@bp.post("/standards/<standard_id>/deviations/<deviation_id>/judge")
@requires("quality", "lead")
@forms.keeps_input(lambda standard_id, deviation_id: standard(standard_id))
def judge(standard_id: str, deviation_id: str) -> BaseResponse:
    """Say yes or no to the deviation."""
    verdict, reason, expires_ms = read_verdict()
    service.judge(plant(), deviation_id, expires_ms, verdict, reason, actor(), forms.command_id())
    flash(
        "Approved." if verdict == "approved" else "Your objection stands beside it; it is in force until it is ended."
    )
    return redirect(url_for("standards.standard", standard_id=standard_id))


@bp.post("/standards/<standard_id>/deviations/<deviation_id>/end")
@requires("engineer")
def end(standard_id: str, deviation_id: str) -> BaseResponse:
    """End a deviation now."""
    service.end(plant(), deviation_id, "ended by hand", actor(), forms.command_id())
    flash("The deviation has ended.")
    return redirect(url_for("standards.standard", standard_id=standard_id))


FEATURE = Feature(
    pages=(bp, asking_pages, own_pages),
    apis=(api, own_api),
    menu=(
        MenuItem("Standards", "Standards here", "standards.standards"),
        MenuItem("Standards", "Our own standards", "own_standards.own_list"),
    ),
)
