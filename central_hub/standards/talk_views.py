"""Pages about standards beside the version's own: proposals of plants, comments and mentions, what a version would mean
for work in progress, and what was made after a withdrawal."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from central_hub.context import hub
from central_hub.plants.queries import list_codes
from central_hub.standards import comments, errors, proposals
from central_hub.standards.addresses import parts_of
from central_hub.standards.aftermath import PIECES_MAX, list_made_after
from central_hub.standards.talk_api import SPEAKERS
from shared.execution.effect import read_effect
from shared.standards.queries import document_of, equipment_of, find_version
from shared.standards.talk_queries import list_mentions
from shared.web import forms
from shared.web.accounts import names_of
from shared.web.context import actor, node, reading, requires

bp = Blueprint("standards_talk", __name__, template_folder="templates")


@bp.get("/proposals")
def proposed() -> str:
    """What plants propose, with how they do since."""
    with reading() as conn:
        found = proposals.read_proposals(conn, hub())
    return render_template("standards/proposals.html", found=found)


@bp.post("/proposals/<proposal_id>/draft")
@requires("author")
@forms.keeps_input(lambda proposal_id: proposed())
def draft(proposal_id: str) -> BaseResponse:
    """Make a draft of it."""
    standard_id, version = proposals.make_draft(hub(), proposal_id, actor(), forms.command_id())
    flash(f"{standard_id} v{version} is a draft now; its purpose names the plant and the person.")
    return redirect(url_for("standards.version", address=f"{standard_id}/{version}"))


@bp.post("/proposals/<proposal_id>/decline")
@requires("author")
@forms.keeps_input(lambda proposal_id: proposed())
def decline(proposal_id: str) -> BaseResponse:
    """Say no, and why."""
    proposals.decline(hub(), proposal_id, forms.read_text("reason", "Reason"), actor(), forms.command_id())
    flash("Declined; the plant reads the reason.")
    return redirect(url_for("standards_talk.proposed"))


@bp.post("/comments/<path:address>")
@requires(*SPEAKERS)
def comment(address: str) -> BaseResponse:
    """Say something of a version."""
    text = forms.read_text("text", "Comment", most=comments.TEXT_MAX)
    comments.comment(hub(), *parts_of(address), text, actor(), forms.command_id())
    return redirect(url_for("standards.version", address=address) + "#said")


@bp.get("/mentions")
def mentions() -> str:
    """What others want the signed-in person to read."""
    with reading() as conn:
        found = list_mentions(conn, node().code, actor())
        names = names_of(conn, {row.said_by for row in found})
    return render_template("standards/mentions.html", found=found, names=names)


@bp.get("/effect/<path:address>")
def effect(address: str) -> str:
    """What a version would mean for the work in progress of each plant that it is for."""
    standard_id, number = parts_of(address)
    with reading() as conn:
        row = find_version(conn, node().code, standard_id, number)
        if row is None:
            raise errors.unknown_version(standard_id, number)
        document = document_of(str(row.body))
        plants = [code for code in list_codes(conn) if code in (document.scope.plants or (code,))]
        effects = [read_effect(conn, code, document, equipment_of(conn, code)) for code in plants]
    return render_template("standards/effect.html", row=row, document=document, effects=effects)


@bp.get("/made-after/<path:address>")
def made_after(address: str) -> str:
    """Pieces made under a version after it was withdrawn."""
    standard_id, number = parts_of(address)
    with reading() as conn:
        row = find_version(conn, node().code, standard_id, number)
        if row is None:
            raise errors.unknown_version(standard_id, number)
        found = list_made_after(conn, standard_id, number, row.withdrawn_ms) if row.withdrawn_ms else []
    return render_template("standards/made_after.html", row=row, found=found, most=PIECES_MAX, path=request.path)
