"""The page of what people are qualified for: given, renewed, ended; what standards ask for and nobody holds."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from local_mes.context import plant
from local_mes.standards.days import day_begins
from local_mes.tasks import qualifications as keeping
from local_mes.tasks.api import KEEPERS, WORKERS
from shared.standards.queries import find_document, list_in_force
from shared.tasks.queries import is_held, list_qualifications
from shared.web import forms
from shared.web.accounts import names_of, people_with
from shared.web.context import actor, node, reading, requires
from shared.web.features import Feature, MenuItem

bp = Blueprint("qualifications", __name__, url_prefix="/qualifications", template_folder="templates")


@bp.get("/")
def people() -> str:
    """Who holds what until when."""
    now = node().clock.now_ms()
    with reading() as conn:
        rows = list_qualifications(conn, node().code)
        everyone = dict(sorted({pair for role in WORKERS for pair in people_with(conn, role)}, key=lambda p: p[1]))
        names = names_of(conn, {row.person_id for row in rows}) | everyone
        demanded = _demanded()
    held = [row for row in rows if is_held(row, now)]
    return render_template(
        "tasks/qualifications.html",
        held=held,
        past=[row for row in rows if not is_held(row, now)],
        people=everyone,
        names=names,
        demanded=demanded,
        lacking=sorted(set(demanded) - {row.name for row in held}),
        soon_ms=now + keeping.SOON_MS,
    )


def _demanded() -> dict[str, list[str]]:
    """Qualification -> ids of the standards in force here that ask for it."""
    found: dict[str, list[str]] = {}
    with reading() as conn:
        for adopted in list_in_force(conn, node().code):
            document = find_document(conn, adopted.standard_id, adopted.version, adopted.sha256)
            for name in sorted(keeping.demanded_by(document)) if document else ():
                found.setdefault(name, []).append(adopted.standard_id)
    return found


@bp.post("/")
@requires(*KEEPERS)
@forms.keeps_input(people)
def give() -> BaseResponse:
    """Give or renew."""
    name = forms.read_text("qualification", "Qualification", most=40).lower()
    until = day_begins(request.form["until_day"], days_later=1) if request.form.get("until_day") else 0
    person_id, note = forms.read_text("person_id", "Person"), forms.read_text("note", "Note", needed=False)
    keeping.give(plant(), person_id, name, until, note, actor=actor(), command_id=forms.command_id())
    flash("Written down.")
    return redirect(url_for("qualifications.people"))


@bp.post("/end")
@requires(*KEEPERS)
@forms.keeps_input(people)
def end() -> BaseResponse:
    """Take it away, with a reason."""
    person_id, name = forms.read_text("person_id", "Person"), forms.read_text("qualification", "Qualification")
    reason = forms.read_text("reason", "Reason")
    keeping.end(plant(), person_id, name, reason, actor=actor(), command_id=forms.command_id())
    flash("Ended, and written down.")
    return redirect(url_for("qualifications.people"))


FEATURE = Feature(pages=(bp,), menu=(MenuItem("Node", "Qualifications", "qualifications.people", KEEPERS),))
