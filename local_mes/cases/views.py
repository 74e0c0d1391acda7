"""Pages of a plant about the hub's cases that concern it: read, answer, confirm how they ended."""

from __future__ import annotations

from flask import Blueprint, Response, flash, redirect, render_template, url_for
from flask_openapi import Tag
from pydantic import Field
from werkzeug.wrappers import Response as BaseResponse

from local_mes.cases import reads, service, swapping
from local_mes.cases.service import ROLES
from local_mes.context import plant
from local_mes.production.person import Command
from shared.transfers.api import CasePath
from shared.transfers.case_rules import TEXT_MAX
from shared.transfers.showing import CASE_CHOICES
from shared.web import forms
from shared.web.api_blueprint import APIBlueprint
from shared.web.body import Body
from shared.web.context import actor, node, reading, requires
from shared.web.features import Feature, MenuItem
from shared.web.listing import Column, Filter, answer_list

bp = Blueprint("cases", __name__, url_prefix="/cases", template_folder="templates")
tag = Tag(name="transfers", description="Loads, receipts and cases between plants")
api = APIBlueprint("cases_here", __name__, url_prefix="/api/v1", abp_tags=[tag], abp_security=[{"bearer": []}])

COLUMNS = (
    Column("kind_words", "Case", show="badge"),
    Column("piece_number", "Piece", show="code", link="cases.case", link_key="case_id"),
    Column("lane_pair", "Lane", show="code"),
    Column("summary", "What contradicts", link="cases.case", link_key="case_id"),
    Column("turn", "Turn of"),
    Column("words", "Words", show="whole"),
    Column("since_ms", "Since", show="when", sort=True),
    Column("due_ms", "Due", show="when", sort=True),
    Column("due", "", show="badge"),
)
STATES = (
    ("open", "Open"),
    ("overdue", "Overdue"),
    ("resolved", "Ended"),
    ("to_confirm", "Ended, not agreed by both"),
    ("all", "All"),
)


class CaseWordBody(Body):
    """A word about a case."""

    command_id: str = Field(min_length=1, max_length=64)
    text: str = Field(min_length=1, max_length=TEXT_MAX)


class CaseEndBody(Body):
    """What this plant says of how a case ended."""

    command_id: str = Field(min_length=1, max_length=64)
    agrees: bool = True
    note: str = Field("", max_length=TEXT_MAX)


class SwapBody(Body):
    """Two receipts of one load, each by its id or by our number, and how it is known."""

    command_id: str = Field(min_length=1, max_length=64)
    first: str = Field(min_length=1, max_length=64)
    second: str = Field(min_length=1, max_length=64)
    evidence: str = Field(min_length=1, max_length=TEXT_MAX)
    case_id: str = Field("", max_length=64)


@bp.get("")
def listing() -> str | Response:
    """Cases that concern this plant."""
    filters = (
        Filter("q", "Piece or load"),
        Filter("kind", "Kind", CASE_CHOICES),
        Filter("turn", "Turn of", (("here", "This plant"),)),
        Filter("state", "State", STATES),
    )
    return answer_list("cases/list.html", COLUMNS, reads.read_cases, filters=filters)


@bp.get("/<number>")
def case(number: str) -> str:
    """One case, as far as it is known here."""
    with reading() as conn:
        shown = reads.read_case(conn, node().code, number)
    return render_template("cases/case.html", **shown)


@bp.post("/<number>/words")
@requires(*ROLES)
@forms.keeps_input(case)
def word(number: str) -> BaseResponse:
    """A person of the plant says a word."""
    text = forms.read_text("text", "Your word", most=TEXT_MAX)
    service.say(plant(), number, text, actor=actor(), command_id=forms.command_id())
    flash("Said. The group's desk reads it as soon as the line is up; nothing is lost.")
    return redirect(url_for("cases.case", number=number) + "#talk")


@bp.post("/<number>/confirm")
@requires(*ROLES)
@forms.keeps_input(case)
def confirm(number: str) -> BaseResponse:
    """A person of the plant confirms how the case ended, or objects."""
    agrees = forms.read_choice("answer", "Answer", ("agree", "object")) == "agree"
    note = forms.read_text("note", "Note", most=TEXT_MAX, needed=not agrees)
    service.confirm(plant(), number, agrees=agrees, note=note, actor=actor(), command_id=forms.command_id())
    flash("Confirmed. The group's desk sees it." if agrees else "Your objection is on its way to the group's desk.")
    return redirect(url_for("cases.case", number=number))


@bp.post("/<number>/swap")
@requires("yard", "lead")
@forms.keeps_input(case)
def swap(number: str) -> BaseResponse:
    """Two swapped labels are exchanged."""
    with reading() as conn:
        found = reads.read_case(conn, node().code, number)["receipt"]
    asked = swapping.Swap(
        found.receipt_id if found is not None else "",
        forms.read_text("other", "The other piece", most=64),
        forms.read_text("evidence", "How it is known", most=TEXT_MAX),
        number,
    )
    done = swapping.swap(plant(), Command(forms.command_id(), actor()), asked)
    flash(f"{' and '.join(done['numbers'])} are exchanged. The group's desk and the sender are told.")
    return redirect(url_for("cases.case", number=number))


@api.post("/receipts/swap", summary="Two pieces of a load bore each other's label")
@requires("yard", "lead")
def post_swap(body: SwapBody) -> tuple[dict[str, object], int]:
    """Each receipt is of the other piece; place, mass and our label go with the steel."""
    asked = swapping.Swap(body.first.strip(), body.second.strip(), body.evidence, body.case_id)
    return swapping.swap(plant(), Command(body.command_id, actor()), asked), 201


@api.post("/cases/<case_id>/words", summary="Say a word about a case")
@requires(*ROLES)
def post_word(path: CasePath, body: CaseWordBody) -> dict[str, object]:
    """Hub and the other plant read it."""
    return service.say(plant(), path.case_id, body.text, actor=actor(), command_id=body.command_id)


@api.post("/cases/<case_id>/confirm", summary="Confirm how a case ended, or object")
@requires(*ROLES)
def post_confirm(path: CasePath, body: CaseEndBody) -> dict[str, object]:
    """The last word of this plant stands."""
    return service.confirm(
        plant(), path.case_id, agrees=body.agrees, note=body.note, actor=actor(), command_id=body.command_id
    )


FEATURE = Feature(pages=(bp,), apis=(api,), menu=(MenuItem("Transfers", "Cases", "cases.listing"),))
