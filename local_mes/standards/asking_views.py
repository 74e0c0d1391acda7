"""The page of a version that the group asks this plant to take: what it would change here, yes, from a day on, or no."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from local_mes.context import plant
from local_mes.standards import service
from local_mes.standards.days import day_begins
from shared.errors import NotFound
from shared.execution.effect import read_effect
from shared.standards.diff import value_text
from shared.standards.readable import sections
from shared.web import forms
from shared.web.accounts import names_of
from shared.web.context import actor, reading, requires

bp = Blueprint("asking", __name__, template_folder="templates")


@bp.get("/standards/asked/<standard_id>/<int:version>")
def asked(standard_id: str, version: int) -> str:
    """What is asked, and what was answered."""
    with reading() as conn:
        found = [a for a in service.list_asked(conn, plant()) if a.document.id == standard_id]
        found = [a for a in found if a.document.version == version]
        names = names_of(conn, {a.answer.answered_by for a in found if a.answer})
        classes = {unit.code: unit.unit_class for unit in plant().model.unit}
        effects = [read_effect(conn, plant().code, one.document, classes) for one in found]
    if not found:
        what = f"This plant is not asked about {standard_id} v{version}."
        raise NotFound("standards.not_asked", what, todo="Look at what is in force.")
    return render_template(
        "standards/asked.html",
        effects=effects,
        asked=found[0],
        sections=sections(found[0].document),
        value_text=value_text,
        names=names,
    )


@bp.post("/standards/asked/<standard_id>/<int:version>/accept")
@requires("engineer", "quality")
@forms.keeps_input(asked)
def accept(standard_id: str, version: int) -> BaseResponse:
    """Yes: now, or from the beginning of a day."""
    from_ms = day_begins(request.form["from_day"]) if request.form.get("from_day") else 0
    service.accept(plant(), standard_id, version, from_ms, actor(), forms.command_id())
    flash("Accepted. It waits for its day." if from_ms else "Accepted: it is in force now, and the hub is told.")
    return redirect(url_for("standards.standards"))


@bp.post("/standards/asked/<standard_id>/<int:version>/reject")
@requires("engineer", "quality")
@forms.keeps_input(asked)
def reject(standard_id: str, version: int) -> BaseResponse:
    """No, and why."""
    reason = forms.read_text("reason", "Reason")
    service.reject(plant(), standard_id, version, reason, actor(), forms.command_id())
    flash("Rejected. What runs here stays, and the group reads the reason.")
    return redirect(url_for("standards.standards"))
