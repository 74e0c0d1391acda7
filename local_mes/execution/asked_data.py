"""What people still have to write down of pieces that are in a unit, or were lately: tasks with their form."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, select

from local_mes.execution.next_step import read_next
from local_mes.execution.standing import Standing
from local_mes.plant import Plant
from shared.db.bulk import among
from shared.execution.collecting import Due, read_records
from shared.material.tables import edge, material, operation, place_history
from shared.standards.work_kinds import DataCollection, DataItem

LOOK_BACK_MS = 2 * 86_400_000
"""What nobody wrote down for two days is history, unless the piece waits for it."""
PIECES_MAX = 300
"""Pieces looked at, the youngest first: more than a shift makes at one line. And as many again that wait for data, the
oldest first."""
LIVE_MAX = 3_000
"""Pieces of a plant, worked since a collection is asked, of which it is looked up whether they wait for it."""
WORKED = ("live", "consumed", "shipped")


@dataclass(frozen=True)
class DataTask:
    """A form that somebody is to fill in about one piece. asked: what of it people are to tell; due_ms: as the standard
    says, counted from its work."""

    number: str
    material_id: str
    due: Due
    asked: tuple[DataItem, ...]
    due_ms: int

    def is_overdue(self, now_ms: int) -> bool:
        """Whether it should be written down by now."""
        return now_ms > self.due_ms


def list_data_tasks(conn: Connection, plant: Plant) -> list[DataTask]:
    """Forms with something missing that a person may tell, the most urgent first.

    Of pieces that were worked lately, and whatever their age of those that wait for it. What Level 2 should have told of
    a piece that waits is asked of people once it is overdue.
    """
    standing = Standing(conn, plant)
    found = [document for _, document in standing.in_force.values() if isinstance(document, DataCollection)]
    forms = [document for document in found if document.per != "shift" and _is_for_people(document)]
    units = [unit for document in forms for unit in _units_of(plant, document)]
    if not units:
        return []
    ids, used_up = _worked_at(conn, plant, units)
    waiting = [one for document in forms if document.if_missing == "hold_step" for one in _waiting(standing, document)]
    ids = list(dict.fromkeys([*ids, *waiting[:PIECES_MAX]]))
    query = select(material).where(material.c.author == plant.code, among(conn, material.c.material_id, ids))
    rows = conn.execute(query.where(material.c.state.in_(WORKED))).all()
    rows = [row for row in rows if row.kind == "heat" or row.material_id not in used_up]
    dues = [(one.row, due) for one in read_next(standing, rows) for due in one.dues if due.unit in units]
    tasks = [_task(row, due, plant.clock.now_ms()) for row, due in dues]
    return sorted(filter(None, tasks), key=lambda task: (task.due_ms, task.number, task.due.document.id))


def _is_for_people(document: DataCollection) -> bool:
    holds = document.if_missing == "hold_step"
    return any(item.required and (holds or item.source != "level2") for item in document.items)


def _units_of(plant: Plant, document: DataCollection) -> list[str]:
    return [unit.code for unit in plant.model.unit if unit.unit_class == document.at]


def _task(row: Row[Any], due: Due, now_ms: int) -> DataTask | None:
    due_ms = due.since_ms + due.document.within_min * 60_000
    asked = due.missing if due.holds_step and row.state == "live" and now_ms > due_ms else due.by_hand
    return DataTask(row.number, row.material_id, due, asked, due_ms) if asked else None


def _waiting(standing: Standing, document: DataCollection) -> list[str]:
    """Ids of live pieces that these units made or had since the collection is asked and of which data are missing."""
    conn, plant, first_ms = standing.conn, standing.plant, standing.first_ms(document.id)
    units, done, was = _units_of(plant, document), operation.c, place_history.c
    made = (
        select(edge.c.child_id)
        .join(operation, (done.author == edge.c.author) & (done.operation_id == edge.c.operation_id))
        .where(edge.c.child_id == material.c.material_id, done.author == plant.code)
        .where(done.unit.in_(units), done.ended_at_ms >= first_ms)
    )
    had = select(was.material_id).where(was.material_id == material.c.material_id, was.author == plant.code)
    had = had.where(was.at_ms >= first_ms, was.place.in_(units))
    query = select(material.c.material_id).where(material.c.author == plant.code, material.c.state == "live")
    query = query.where(made.exists() | had.exists()).order_by(material.c.born_at_ms).limit(LIVE_MAX)
    ids = list(conn.execute(query).scalars())
    told = read_records(conn, plant.code, ids)
    required = {item.name for item in document.items if item.required}
    return [one for one in ids if not required <= told.get((document.id, one), {}).keys()]


def _worked_at(conn: Connection, plant: Plant, units: Sequence[str]) -> tuple[list[str], set[str]]:
    """Ids of the pieces that these units made or had lately, the youngest first, and of those that went into others."""
    since = plant.clock.now_ms() - LOOK_BACK_MS
    done, was = operation.c, place_history.c
    made = (
        select(edge.c.child_id, edge.c.parent_id)
        .join(operation, (done.author == edge.c.author) & (done.operation_id == edge.c.operation_id))
        .where(done.author == plant.code, done.unit.in_(units), done.ended_at_ms >= since)
        .order_by(done.ended_at_ms.desc())
    )
    had = (
        select(was.material_id)
        .where(was.author == plant.code, was.at_ms >= since, was.place.in_(units))
        .order_by(was.at_ms.desc())
    )
    rows = conn.execute(made.limit(PIECES_MAX)).all()
    ids = [*(row.child_id for row in rows), *conn.execute(had.limit(PIECES_MAX)).scalars()]
    return list(dict.fromkeys(ids))[:PIECES_MAX], {row.parent_id for row in rows}
