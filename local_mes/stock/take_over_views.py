"""The page of a take-over: hand in files, read the report, record, take back."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from local_mes.context import plant
from local_mes.stock import take_over
from local_mes.stock.service import Command
from local_mes.stock.take_over_api import MOVERS, read_csv
from local_mes.stock.take_over_api import bp as api
from local_mes.stock.take_over_rows import COLUMNS, FILES
from shared.errors import BadInput
from shared.stock.queries import find_take_over, list_take_overs
from shared.web.context import actor, reading, requires
from shared.web.features import Feature, MenuItem
from shared.web.forms import command_id, keeps_input, read_text

bp = Blueprint("take_over", __name__, url_prefix="/take-over", template_folder="templates")
SHOWN = 200


@bp.get("/")
def take_overs() -> str:
    """What was taken over, and handing in another."""
    with reading() as conn:
        rows = list_take_overs(conn, plant().code)
    return render_template("stock/take_overs.html", rows=rows, columns=COLUMNS)


@bp.post("/hand-in")
@requires(*MOVERS)
@keeps_input(take_overs)
def hand_in() -> BaseResponse:
    """Files of the form; nothing is recorded."""
    files = {}
    for name in FILES:
        sent = request.files.get(name)
        if sent and sent.filename:
            try:
                files[name] = read_csv(sent.read().decode("utf-8-sig"))
            except UnicodeDecodeError:
                raise BadInput(
                    "take_over.encoding", f"{sent.filename} is not UTF-8.", todo="Save it as UTF-8."
                ) from None
    if not any(files.values()):
        raise BadInput("take_over.empty", "No file with rows was chosen.", todo="Choose at least the stock.")
    take_over_id = take_over.hand_in(plant(), _command(), files)
    return redirect(url_for("take_over.report", take_over_id=take_over_id))


@bp.get("/<take_over_id>")
def report(take_over_id: str) -> str:
    """What would be recorded, what is wrong, what does not agree with a count; what became of it."""
    here = plant()
    with reading() as conn:
        plan = take_over.check(conn, here, take_over_id)
        begun = find_take_over(conn, here.code, take_over_id)
    return render_template("stock/take_over.html", plan=plan, begun=begun, take_over_id=take_over_id, most=SHOWN)


@bp.post("/<take_over_id>/record")
@requires(*MOVERS)
@keeps_input(report)
def record(take_over_id: str) -> BaseResponse:
    """All of it, or what a crash has left."""
    told = take_over.record(plant(), _command(), take_over_id, read_text("title", "Title", most=200))
    flash(f"Taken over: {told['stock']} pieces in stock, {told['heats']} heats, {told['steps']} steps.", "done")
    return redirect(url_for("take_over.report", take_over_id=take_over_id))


@bp.post("/<take_over_id>/reverse")
@requires(*MOVERS)
@keeps_input(report)
def reverse(take_over_id: str) -> BaseResponse:
    """Out of the books again."""
    told = take_over.reverse(plant(), _command(), take_over_id, read_text("reason", "Reason"))
    flash(f"{told['pieces']} pieces are out of the books again.", "attention")
    return redirect(url_for("take_over.take_overs"))


def _command() -> Command:
    return Command(command_id(), actor())


FEATURE = Feature(pages=(bp,), apis=(api,), menu=(MenuItem("Material", "Take-over", "take_over.take_overs", MOVERS),))
