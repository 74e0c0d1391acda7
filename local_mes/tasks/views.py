"""Pages of people's work: the inbox of tasks, forms and checklists that standards in force ask for."""

from __future__ import annotations

import json
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from sqlalchemy import Connection
from werkzeug.wrappers import Response as BaseResponse

from local_mes.context import plant
from local_mes.execution.asked_data import list_data_tasks
from local_mes.tasks import forms_in_force as asking
from local_mes.tasks import inbox
from local_mes.tasks.api import WORKERS, about, api
from shared.execution.collecting import read_records
from shared.material.queries import find_piece
from shared.standards.work_kinds import DataCollection, DataItem
from shared.tasks.queries import held_by, list_checklists, list_collected
from shared.web import forms
from shared.web.accounts import names_of
from shared.web.context import actor, node, person, reading, requires
from shared.web.features import Feature, MenuItem

bp = Blueprint("tasks", __name__, template_folder="templates")
DONE_SHOWN = 30


@bp.get("/tasks")
def tasks() -> str:
    """What is to be done, mine first."""
    now, roles = node().clock.now_ms(), person().roles
    with reading() as conn:
        found = inbox.list_tasks(conn, plant())
        data = list_data_tasks(conn, plant())
        names = names_of(conn, {who for task in found for who in (task.done_by, task.acknowledged_by) if who})
        held = held_by(conn, node().code, actor(), now)
    opened = [task for task in found if task.done_ms is None]
    mine = [task for task in opened if inbox.concerns(task, roles, now, held)]
    return render_template(
        "tasks/inbox.html",
        mine=mine,
        others=[task for task in opened if task not in mine],
        data=data if person().may(WORKERS) else [],
        held=held,
        done=[task for task in found if task.done_ms is not None][:DONE_SHOWN],
        names=names,
    )


@bp.post("/tasks/<decision_id>/<int:action>")
@requires(*WORKERS)
@forms.keeps_input(lambda decision_id, action: tasks())
def finish(decision_id: str, action: int) -> BaseResponse:
    """Done."""
    note = forms.read_text("note", "Note", needed=False)
    inbox.finish(plant(), decision_id, action, note, actor(), forms.command_id())
    flash("Done, and written down with your name.")
    return redirect(url_for("tasks.tasks"))


@bp.post("/tasks/<decision_id>/<int:action>/acknowledge")
@requires(*WORKERS)
@forms.keeps_input(lambda decision_id, action: tasks())
def acknowledge(decision_id: str, action: int) -> BaseResponse:
    """Somebody is on it."""
    inbox.acknowledge(plant(), decision_id, action, actor(), forms.command_id())
    flash("Noted that you are on it.")
    return redirect(url_for("tasks.tasks"))


@bp.get("/forms")
def asked() -> str:
    """Forms and checklists in force, and what was filled in last."""
    with reading() as conn:
        found = asking.list_asked(conn, plant())
        records, lists = list_collected(conn, node().code), list_checklists(conn, node().code)
        names = names_of(conn, {row.said_by for row in (*records, *lists)})
    shown = [{**row._mapping, "values": json.loads(row._mapping["values"])} for row in records]
    return render_template("tasks/asked.html", found=found, records=shown, lists=lists, names=names)


@bp.get("/forms/<standard_id>")
def form(standard_id: str) -> str:
    """One form or checklist, made out of its standard."""
    with reading() as conn:
        found = asking.find_asked(conn, plant(), standard_id)
        known = _known(conn, found, request.values.get("of", ""))
    page = "form" if isinstance(found.document, DataCollection) else "checklist"
    return render_template(f"tasks/{page}.html", asked=found, document=found.document, known=known)


def _known(conn: Connection, found: asking.Asked, of: str) -> dict[str, Any]:
    """What is on record already of the piece that the form is opened for: a person tells the rest."""
    piece = find_piece(conn, of, node().code) if of and isinstance(found.document, DataCollection) else None
    if piece is None:
        return {}
    return dict(read_records(conn, node().code, [piece.material_id]).get((found.document.id, piece.material_id), {}))


@bp.post("/forms/<standard_id>")
@requires(*WORKERS)
@forms.keeps_input(form)
def fill_in(standard_id: str) -> BaseResponse:
    """Record it."""
    unit = forms.read_text("unit", "Unit", most=64)
    with reading() as conn:
        found = asking.find_asked(conn, plant(), standard_id)
        if isinstance(found.document, DataCollection):
            of = forms.read_text("of", found.document.per.capitalize(), most=64)
            told = about(conn, found.document.per, of)
    if isinstance(found.document, DataCollection):
        values = {item.name: _value(item) for item in found.document.items}
        asking.collect(plant(), standard_id, unit, told, values, actor(), forms.command_id())
    else:
        confirmed = [int(text) for text in request.form.getlist("confirmed") if text.isdigit() and len(text) < 4]
        note = forms.read_text("note", "Note", needed=False)
        asking.go_through(plant(), standard_id, unit, confirmed, note, actor(), forms.command_id())
    flash(f"{found.document.title}: written down.")
    return redirect(url_for("tasks.asked"))


def _value(item: DataItem) -> asking.Value | None:
    text = forms.read_text(f"v-{item.name}", item.text, needed=False)
    if item.type == "yes_no":
        return {"yes": True, "no": False}.get(text)
    if item.type == "whole" and text.removeprefix("-").isdigit() and len(text) <= 15:
        return int(text)
    return text or None


FEATURE = Feature(
    pages=(bp,),
    apis=(api,),
    menu=(MenuItem("Now", "Tasks", "tasks.tasks"), MenuItem("Now", "Forms and checklists", "tasks.asked")),
)
