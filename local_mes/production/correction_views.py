"""Pages of corrections: what is on record of a piece and can be put right, what was, and what waits for people."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, url_for
from werkzeug.wrappers import Response as BaseResponse

from local_mes.context import plant
from local_mes.production import correcting, errors
from local_mes.production.correction_api import MAY
from local_mes.production.correction_api import bp as api
from local_mes.production.correction_form import read_asked, read_record
from shared.material.correction_api import as_json
from shared.material.correction_queries import cursor_of, find_case, list_cases, list_corrections
from shared.material.queries import numbers_of
from shared.web.accounts import names_of
from shared.web.context import actor, node, reading, requires
from shared.web.features import Feature, MenuItem
from shared.web.forms import command_id, keeps_input, read_choice, read_text
from shared.web.listing import Column, answer_list
from shared.web.paging import Page, Paging

bp = Blueprint("corrections", __name__, url_prefix="/production/corrections", template_folder="templates")
COLUMNS = (
    Column("at_ms", "When", show="when"),
    Column("number", "Piece", show="code", link="pieces.piece", link_key="material_id"),
    Column("what", "What"),
    Column("was", "Was"),
    Column("now", "Now"),
    Column("reason", "Because"),
    Column("by", "By"),
)
ENDINGS = {"carried_out": "Carry it out now", **correcting.SETTLED}


@bp.get("/")
def corrections() -> str | Response:
    """What was put right, and what could not be."""
    with reading() as conn:
        cases = [as_json(row) for row in list_cases(conn, author=node().code, state="open", limit=100)]
    return answer_list("production/corrections.html", COLUMNS, _read, cases=cases)


def _read(paging: Paging) -> Page[Any]:
    with reading() as conn:
        rows = list_corrections(conn, author=node().code, after=paging.after, limit=paging.limit + 1)
        shown = rows[: paging.limit]
        numbers = numbers_of(conn, [row.material_id for row in shown])
        people = names_of(conn, {row.actor for row in shown})
    found = [
        {
            **row._mapping,
            "number": (numbers.get(row.material_id) or [row.material_id])[-1],
            "by": people.get(row.actor, "–"),
        }
        for row in shown
    ]
    return Page(found, cursor_of(shown[-1]) if len(rows) > paging.limit else None)


@bp.get("/piece/<number>")
def piece(number: str) -> str:
    """What is on record of a piece, each statement with the form that corrects it."""
    with reading() as conn:
        record = read_record(conn, plant().code, number)
    return render_template("production/correct.html", record=record, asked=number)


@bp.post("/piece/<number>")
@requires(*MAY)
@keeps_input(piece)
def post_correction(number: str) -> BaseResponse:
    """Correct one statement."""
    with reading() as conn:
        asked = read_asked(read_record(conn, plant().code, number))
    said = correcting.correct(plant(), asked, actor=actor(), command_id=command_id())
    if said["state"] == "case":
        flash("It was not carried out: pieces that went on stand on it. It lies on the list of cases.")
        return redirect(url_for("corrections.case", case_id=said["case_id"]))
    flash("Corrected. What was said before stays in the history.", "done")
    return redirect(url_for("pieces.piece", number=said["changes"][0]["material_id"]))


@bp.get("/cases/<case_id>")
def case(case_id: str) -> str:
    """A correction that could not be carried out, with what stands on it."""
    with reading() as conn:
        row = find_case(conn, node().code, case_id)
        if row is None:
            raise errors.unknown_case(case_id)
        people = names_of(conn, {row.asked_by, row.settled_by})
        shown: dict[str, Any] = as_json(row)
        numbers = numbers_of(conn, [change["material_id"] for change in shown["changes"]])
    return render_template(
        "production/correction_case.html", case=shown, numbers=numbers, people=people, endings=ENDINGS
    )


@bp.post("/cases/<case_id>")
@requires(*MAY)
@keeps_input(case)
def post_settle(case_id: str) -> BaseResponse:
    """End a case."""
    how = read_choice("how", "How it ends", ENDINGS)
    note = read_text("note", "Note", most=2_000, needed=how != "carried_out")
    correcting.settle(plant(), case_id, how, note, actor=actor(), command_id=command_id())
    flash("The case is settled.", "done")
    return redirect(url_for("corrections.corrections"))


DEEDS = (MenuItem("Material", "Correct", "corrections.piece", MAY),)
FEATURE = Feature(
    pages=(bp,), apis=(api,), menu=(MenuItem("Production", "Corrections", "corrections.corrections", MAY),)
)
