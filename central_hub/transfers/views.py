"""Pages of the group's transfers: lanes and what is on the way, the case desk, the daily balance."""

from __future__ import annotations

from flask import Blueprint, Response, flash, redirect, render_template, url_for
from werkzeug.wrappers import Response as BaseResponse

from central_hub.context import hub
from central_hub.transfers import cases, reads, service
from central_hub.transfers.api import bp as api
from shared.transfers.api import bp as reads_api
from shared.transfers.showing import CASE_CHOICES, LINE_COLUMNS, STATE_CHOICES
from shared.web import forms
from shared.web.context import actor, reading, requires
from shared.web.features import Feature, MenuItem
from shared.web.listing import Column, Filter, answer_list

bp = Blueprint("transfers", __name__, url_prefix="/transfers", template_folder="templates")

GROUP_COLUMNS = (
    Column("lane_pair", "Lane"),
    Column("shipment_number", "Load", show="code"),
    *LINE_COLUMNS,
    Column("departed_at_ms", "Left", show="when"),
    Column("received_at_ms", "Received", show="when"),
)
CASE_COLUMNS = (
    Column("kind_words", "Case", show="badge", link="transfers.case", link_key="case_id"),
    Column("piece_number", "Piece", show="code", link="transfers.case", link_key="case_id"),
    Column("lane_pair", "Lane"),
    Column("shipment_number", "Load", show="code"),
    Column("summary", "What contradicts"),
    Column("settled", "Since then"),
    Column("since_ms", "Since", show="when"),
)
CASE_STATES = (("open", "Open"), ("resolved", "Resolved"), ("all", "All"))


@bp.get("/")
def lines() -> str | Response:
    """Every piece between two plants, and what is on the way on each lane."""
    with reading() as conn:
        lanes = reads.read_today(conn)
    choices = tuple((lane.lane, lane.lane) for lane in lanes)
    filters = (Filter("q", "Number or load"), Filter("lane", "Lane", choices), Filter("state", "State", STATE_CHOICES))
    return answer_list("transfers/lines.html", GROUP_COLUMNS, reads.read_lines, filters=filters, lanes=lanes)


@bp.get("/cases")
def desk() -> str | Response:
    """The case desk: what people must look at."""
    with reading() as conn:
        shown = reads.read_desk(conn)
    filters = (
        Filter("q", "Piece or load"),
        Filter("kind", "Kind", CASE_CHOICES),
        Filter("plant", "Plant"),
        Filter("state", "State", CASE_STATES),
    )
    return answer_list("transfers/cases.html", CASE_COLUMNS, reads.read_cases, filters=filters, **shown)


@bp.get("/cases/<number>")
def case(number: str) -> str:
    """One case, both sides' facts side by side."""
    with reading() as conn:
        shown = reads.read_case(conn, number)
    return render_template("transfers/case.html", **shown)


@bp.post("/cases/<number>")
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
    flash("The case is resolved. Both plants will be told; their facts stay as they are.")
    return redirect(url_for("transfers.desk"))


@bp.get("/balance")
def balance() -> str:
    """The day's balance of each lane."""
    with reading() as conn:
        lanes = reads.read_today(conn)
    return render_template("transfers/balance.html", lanes=lanes)


FEATURE = Feature(
    pages=(bp,),
    apis=(reads_api, api),
    menu=(
        MenuItem("Transfers", "On the way", "transfers.lines"),
        MenuItem("Transfers", "Case desk", "transfers.desk"),
        MenuItem("Transfers", "Balance", "transfers.balance"),
    ),
)
