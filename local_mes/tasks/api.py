"""JSON of people's work: tasks, records of data, checklists."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from flask_openapi import Tag
from pydantic import BaseModel, Field, StrictBool, StrictInt, StrictStr
from sqlalchemy import Connection

from local_mes.context import plant
from local_mes.execution.asked_data import list_data_tasks
from local_mes.tasks import forms_in_force as asking
from local_mes.tasks import inbox
from local_mes.tasks import qualifications as keeping
from shared.errors import NotFound
from shared.material.queries import find_piece
from shared.tasks.queries import is_held, list_qualifications
from shared.web.api_blueprint import APIBlueprint
from shared.web.asof import as_of
from shared.web.body import Body
from shared.web.context import actor, node, reading, requires

tag = Tag(name="tasks", description="What standards ask people to do, and what they did")
api = APIBlueprint("tasks_api", __name__, url_prefix="/api/v1", abp_tags=[tag], abp_security=[{"bearer": []}])

KEEPERS = ("lead", "engineer")
"""Who answers for what people are trained for."""
WORKERS = ("operator", "yard", "quality", "lead", "engineer")
"""Everybody who works with steel; a token that only reads figures writes nothing down."""


class TaskPath(BaseModel):
    """One action of the workflow that a failed check began."""

    decision_id: str = Field(max_length=32)
    action: int = Field(ge=1, le=1_000)


class FormPath(BaseModel):
    """The standard's id."""

    standard_id: str = Field(max_length=40)


class DoneBody(Body):
    """What was done, in a few words."""

    command_id: str = Field(min_length=1, max_length=64)
    note: str = Field("", max_length=500)


class AcknowledgeBody(Body):
    """Nothing but the command's id."""

    command_id: str = Field(min_length=1, max_length=64)


class QualificationBody(Body):
    """Who, what, until when in ms UTC; 0: without end."""

    command_id: str = Field(min_length=1, max_length=64)
    person_id: str = Field(min_length=1, max_length=64)
    qualification: str = Field(pattern=keeping.NAME)
    until_ms: int = Field(0, ge=0, le=10**14)
    note: str = Field("", max_length=500)


class QualificationEndBody(Body):
    """Who, what, and why it ends."""

    command_id: str = Field(min_length=1, max_length=64)
    person_id: str = Field(min_length=1, max_length=64)
    qualification: str = Field(pattern=keeping.NAME)
    reason: str = Field(min_length=1, max_length=500)


class CollectBody(Body):
    """Values by the names of the data collection; of: a piece's or heat's number, or the shift."""

    command_id: str = Field(min_length=1, max_length=64)
    unit: str = Field(max_length=64)
    of: str = Field(min_length=1, max_length=64)
    values: dict[str, StrictBool | StrictInt | StrictStr | None] = Field(max_length=100)


class ChecklistBody(Body):
    """Numbers of the confirmed steps, from 1; a note where one that must be is not."""

    command_id: str = Field(min_length=1, max_length=64)
    unit: str = Field(max_length=64)
    confirmed: list[int] = Field([], max_length=100)
    note: str = Field("", max_length=500)


@api.get("/tasks")
def tasks() -> dict[str, Any]:
    """Tasks of the last two weeks, open ones first, the most urgent on top."""
    now = node().clock.now_ms()
    with reading() as conn:
        found = inbox.list_tasks(conn, plant())
    items = [{**asdict(task), "overdue": task.is_overdue(now), "escalated": task.is_escalated(now)} for task in found]
    return {"items": items, "next": None, **as_of()}


@api.post("/tasks/<decision_id>/<int:action>")
@requires(*WORKERS)
def finish(path: TaskPath, body: DoneBody) -> dict[str, Any]:
    """Done."""
    inbox.finish(plant(), path.decision_id, path.action, body.note, actor(), body.command_id)
    return {"decision_id": path.decision_id, "action": path.action}


@api.post("/tasks/<decision_id>/<int:action>/acknowledge")
@requires(*WORKERS)
def acknowledge(path: TaskPath, body: AcknowledgeBody) -> dict[str, Any]:
    """Say that one is on it: it is not escalated then."""
    inbox.acknowledge(plant(), path.decision_id, path.action, actor(), body.command_id)
    return {"decision_id": path.decision_id, "action": path.action}


@api.get("/data-tasks")
def data_tasks() -> dict[str, Any]:
    """Forms that somebody is to fill in about pieces that are in a unit or were lately, the most urgent first."""
    now = node().clock.now_ms()
    with reading() as conn:
        found = list_data_tasks(conn, plant())
    items = [
        {
            "standard_id": task.due.document.id,
            "version": task.due.document.version,
            "unit": task.due.unit,
            "number": task.number,
            "material_id": task.material_id,
            "missing": [item.name for item in task.asked],
            "holds_step": task.due.holds_step,
            "due_ms": task.due_ms,
            "overdue": task.is_overdue(now),
        }
        for task in found
    ]
    return {"items": items, "next": None, **as_of()}


@api.get("/qualifications")
def qualifications() -> dict[str, Any]:
    """Qualifications of this plant's people, ended ones too; people by their id."""
    now = node().clock.now_ms()
    with reading() as conn:
        rows = list_qualifications(conn, node().code)
    return {"items": [{**row._mapping, "held": is_held(row, now)} for row in rows], "next": None, **as_of()}


@api.post("/qualifications")
@requires(*KEEPERS)
def give(body: QualificationBody) -> tuple[dict[str, Any], int]:
    """A person holds a qualification from now on."""
    keeping.give(
        plant(),
        body.person_id,
        body.qualification,
        body.until_ms,
        body.note,
        actor=actor(),
        command_id=body.command_id,
    )
    return {"person_id": body.person_id, "qualification": body.qualification}, 201


@api.post("/qualifications/end")
@requires(*KEEPERS)
def end(body: QualificationEndBody) -> dict[str, Any]:
    """A person holds it no more."""
    keeping.end(plant(), body.person_id, body.qualification, body.reason, actor=actor(), command_id=body.command_id)
    return {"person_id": body.person_id, "qualification": body.qualification}


@api.post("/forms/<standard_id>/records")
@requires(*WORKERS)
def collect(path: FormPath, body: CollectBody) -> tuple[dict[str, Any], int]:
    """Record what a data collection in force asks."""
    with reading() as conn:
        asked = asking.find_asked(conn, plant(), path.standard_id)
        told = about(conn, getattr(asked.document, "per", ""), body.of)
    made = asking.collect(plant(), path.standard_id, body.unit, told, body.values, actor(), body.command_id)
    return {"record_id": made}, 201


@api.post("/forms/<standard_id>/checklists")
@requires(*WORKERS)
def go_through(path: FormPath, body: ChecklistBody) -> tuple[dict[str, Any], int]:
    """Record a checklist in force."""
    made = asking.go_through(plant(), path.standard_id, body.unit, body.confirmed, body.note, actor(), body.command_id)
    return {"record_id": made}, 201


def about(conn: Connection, per: str, of: str) -> tuple[str, str]:
    """Material id and number of what is recorded; ("", the text) for a shift. NotFound for a number nobody knows."""
    if per == "shift":
        return "", of
    row = find_piece(conn, of, node().code)
    if row is None:
        raise NotFound("tasks.no_piece", f"No {per} {of!r} is known here.", todo="Read the number on the label again.")
    return row.material_id, of
