"""Pages of the case desk: what people must look at, who looks after it until when, what was said, how it ends."""

from __future__ import annotations

from flask import Blueprint, Response, flash, redirect, render_template, url_for
from werkzeug.wrappers import Response as BaseResponse

from central_hub.context import hub
from central_hub.transfers import cases, desk_reads, service
from central_hub.transfers.desk import Charge, assign, say
from shared.transfers.case_desk import NOBODY
from shared.transfers.case_rules import DEADLINE_DAYS_MAX, HOUR_MS
from shared.transfers.showing import CASE_CHOICES
from shared.web import forms
from shared.web.context import actor, node, reading, requires
from shared.web.listing import Column, Filter, answer_list

bp = Blueprint("case_desk", __name__, url_prefix="/transfers/cases", template_folder="templates")

CASE_COLUMNS = (
    Column("kind_words", "Case", show="badge"),
    Column("piece_number", "Piece", show="code", link="case_desk.case", link_key="case_id"),
    Column("told", "What contradicts", link="case_desk.case", link_key="case_id"),
    Column("owner_name", "Looks after it"),
    Column("party", "Turn of"),
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
    ("objected", "Ended, a plant objects"),
    ("all", "All"),
)


@bp.get("")
def desk() -> str | Response:
    """The case desk: what people must look at."""
    with reading() as conn:
        shown = desk_reads.read_desk(conn)
    filters = (
        Filter("q", "Piece or load"),
        Filter("kind", "Kind", CASE_CHOICES),
        Filter("plant", "Plant", shown["plants"]),
        Filter("owner", "Looks after it", ((desk_reads.MINE, "Me"), (NOBODY, "Nobody"), *shown["owners"])),
        Filter("party", "Turn of", ((hub().code, hub().code), *shown["plants"])),
        Filter("state", "State", STATES),
    )
    return answer_list("transfers/cases.html", CASE_COLUMNS, desk_reads.read_cases, filters=filters, **shown)


@bp.get("/<number>")
def case(number: str) -> str:
    """One case, both sides' facts side by side."""
    with reading() as conn:
        shown = desk_reads.read_case(conn, number)
    return render_template("transfers/case.html", **shown)


@bp.post("/<number>")
@requires("logistics")
@forms.keeps_input(case)
def resolve(number: str) -> BaseResponse:
    """A person ends a case."""
    service.resolve_case(
        hub(),
        number,
        forms.read_text("resolution", "How it ends", most=64),
        forms.read_text("note", "Note", most=cases.NOTE_MAX),
        actor=actor(),
        command_id=forms.command_id(),
    )
    flash("The case is resolved. Both plants are told and confirm it here; their facts stay as they are.")
    return redirect(url_for("case_desk.case", number=number))


@bp.post("/<number>/reopen")
@requires("logistics")
@forms.keeps_input(case)
def reopen(number: str) -> BaseResponse:
    """A person takes the end of a case back."""
    note = forms.read_text("why", "Why", most=cases.NOTE_MAX)
    service.reopen_case(hub(), number, note, actor=actor(), command_id=forms.command_id())
    flash("The case is open again. Both plants are told.")
    return redirect(url_for("case_desk.case", number=number))


@bp.post("/<number>/charge")
@requires("logistics")
@forms.keeps_input(case)
def charge(number: str) -> BaseResponse:
    """A person hands the case to somebody with a deadline."""
    hours = forms.read_number("hours", "Time", least=1, most=DEADLINE_DAYS_MAX * 24, unit="h")
    given = Charge(
        owner=forms.read_text("owner", "Who looks after it", most=64, needed=False),
        party=forms.read_text("party", "Whose turn it is", most=64),
        deadline_ms=node().clock.now_ms() + hours * HOUR_MS,
    )
    assign(hub(), number, given, actor=actor(), command_id=forms.command_id())
    flash("Noted. Both plants see whose turn it is, and until when.")
    return redirect(url_for("case_desk.case", number=number))


@bp.post("/<number>/words")
@requires("logistics")
@forms.keeps_input(case)
def word(number: str) -> BaseResponse:
    """A person says a word that both plants read."""
    text = forms.read_text("text", "Your word", most=cases.NOTE_MAX)
    say(hub(), number, text, actor=actor(), command_id=forms.command_id())
    return redirect(url_for("case_desk.case", number=number) + "#talk")
