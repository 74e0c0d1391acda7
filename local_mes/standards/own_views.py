"""Pages of the plant's own standards: the list, writing one, and one version with its trial, deployment and way back."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from sqlalchemy import Connection
from werkzeug.wrappers import Response as BaseResponse

from local_mes.context import plant
from local_mes.standards import errors, own
from local_mes.standards.own_api import WRITERS
from local_mes.standards.proposing import figures_since, propose_own
from shared.standards.as_yaml import TEXT_MAX, read_text, write_text
from shared.standards.documents import parse_document
from shared.standards.readable import sections
from shared.standards.talk_queries import list_proposals
from shared.web import forms
from shared.web.accounts import names_of
from shared.web.context import actor, reading, requires

bp = Blueprint("own_standards", __name__, template_folder="templates")
DAY = 10


@bp.get("/standards/own")
def own_list() -> str:
    """What is written and runs here."""
    with reading() as conn:
        found = own.list_own(conn, plant())
    return render_template("standards/own.html", found=found)


@bp.get("/standards/own/write")
@requires(*WRITERS)
def write_form() -> str:
    """A text to begin with: an earlier version, or nothing."""
    of, text = request.args.get("of", ""), ""
    with reading() as conn:
        newest = next((v for v in own.list_own(conn, plant()) if v.document.id == of), None)
    if newest is not None:
        step = 0 if newest.status == own.DRAFT else 1
        following = newest.document.model_dump(mode="json") | {"version": newest.document.version + step}
        text = write_text(parse_document(following))
    return render_template("standards/own_write.html", text=request.form.get("document", text))


@bp.post("/standards/own/write")
@requires(*WRITERS)
@forms.keeps_input(write_form)
def write() -> BaseResponse:
    """Save a draft."""
    document = read_text(forms.read_text("document", "Document", most=TEXT_MAX))
    made = own.write(plant(), document, actor(), forms.command_id())
    flash(f"{made.id} v{made.version} is saved. Try it on a day, then deploy it.")
    return redirect(url_for("own_standards.version", standard_id=made.id, number=made.version))


@bp.get("/standards/own/<standard_id>/<int:number>")
def version(standard_id: str, number: int) -> str:
    """One version; with ?day= what it would have said then."""
    day = request.args.get("day", "")[:DAY]
    with reading() as conn:
        found = [v for v in own.list_own(conn, plant()) if v.document.id == standard_id]
        shown = next((v for v in found if v.document.version == number), None)
        if shown is None:
            raise errors.no_own(standard_id, number)
        trial = _tried(conn, standard_id, number, day) if day else None
        names = names_of(conn, {shown.written_by})
        figures = figures_since(conn, plant(), shown.document) if shown.runs else []
        proposals = [p for p in list_proposals(conn, plant().code) if p.standard_id == standard_id]
    return render_template(
        "standards/own_version.html",
        v=shown,
        running=next((v for v in found if v.runs), None),
        sections=sections(shown.document),
        trial=trial,
        names=names,
        figures=figures,
        proposals=proposals,
        yesterday=plant().model.calendar.production_day(plant().clock.now_ms() - 86_400_000),
    )


@requires(*WRITERS)
def _tried(conn: Connection, standard_id: str, number: int, day: str) -> own.Trial:
    return own.try_draft(conn, plant(), standard_id, number, day)


@bp.post("/standards/own/<standard_id>/<int:number>/deploy")
@requires(*WRITERS)
@forms.keeps_input(version)
def deploy(standard_id: str, number: int) -> BaseResponse:
    """Put it in force."""
    seen, reason = forms.read_text("sha256", "Hash", most=64), forms.read_text("reason", "Reason")
    day = forms.read_text("day", "Day", most=DAY, needed=False)
    own.deploy(plant(), standard_id, number, seen, reason, actor(), forms.command_id(), day)
    flash("It is in force, and the group is told.")
    return redirect(url_for("own_standards.version", standard_id=standard_id, number=number))


@bp.post("/standards/own/<standard_id>/<int:number>/back")
@requires(*WRITERS)
@forms.keeps_input(version)
def back(standard_id: str, number: int) -> BaseResponse:
    """The version before is in force again."""
    before = own.back(plant(), standard_id, forms.read_text("reason", "Reason"), actor(), forms.command_id())
    flash(f"v{before} is in force again." if before else "Nothing of it is in force any more.")
    return redirect(url_for("own_standards.own_list"))


@bp.post("/standards/own/<standard_id>/<int:number>/propose")
@requires(*WRITERS)
@forms.keeps_input(version)
def propose(standard_id: str, number: int) -> BaseResponse:
    """Propose what runs of it to the group."""
    with reading() as conn:
        name = names_of(conn, {actor()}).get(actor(), "an engineer")
    propose_own(plant(), standard_id, forms.read_text("reason", "What it brings"), (actor(), name), forms.command_id())
    flash("Proposed. The group's standards office reads it, with your figures, when the line is up.")
    return redirect(url_for("own_standards.version", standard_id=standard_id, number=number))
