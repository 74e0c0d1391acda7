"""What people still have to write down of pieces that are in a unit, or were lately: tasks with their form."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select

from local_mes.execution.next_step import read_next
from local_mes.execution.standing import Standing
from local_mes.plant import Plant
from shared.db.bulk import among
from shared.execution.collecting import Due
from shared.material.tables import edge, material, operation, place_history
from shared.standards.queries import list_documents_in_force
from shared.standards.work_kinds import DataCollection

LOOK_BACK_MS = 2 * 86_400_000
"""What nobody wrote down for two days is history; a piece that waits for it says so itself."""
PIECES_MAX = 300
"""Pieces looked at, the youngest first: more than a shift makes at one line."""
WORKED = ("live", "consumed", "shipped")


@dataclass(frozen=True)
class DataTask:
    """A form that somebody is to fill in about one piece. due_ms: as the standard says, counted from its work."""

    number: str
    material_id: str
    due: Due
    due_ms: int

    def is_overdue(self, now_ms: int) -> bool:
        """Whether it should be written down by now."""
        return now_ms > self.due_ms


def list_data_tasks(conn: Connection, plant: Plant) -> list[DataTask]:
    """Forms with something missing that a person may tell, the most urgent first."""
    asked = [document for _, document in list_documents_in_force(conn, plant.code, "data_collection")]
    classes = {d.at for d in asked if isinstance(d, DataCollection) and d.per != "shift" and _takes_people(d)}
    units = [unit.code for unit in plant.model.unit if unit.unit_class in classes]
    if not units:
        return []
    ids, used_up = _worked_at(conn, plant, units)
    query = select(material).where(material.c.author == plant.code, among(conn, material.c.material_id, ids))
    rows = conn.execute(query.where(material.c.state.in_(WORKED))).all()
    rows = [row for row in rows if row.kind == "heat" or row.material_id not in used_up]
    found: dict[tuple[str, str], DataTask] = {}
    for one in read_next(Standing(conn, plant), rows):
        for due in one.dues:
            if due.by_hand and due.unit in units:
                at_ms = due.since_ms + due.document.within_min * 60_000
                found[due.document.id, one.row.material_id] = DataTask(one.row.number, one.row.material_id, due, at_ms)
    return sorted(found.values(), key=lambda task: (task.due_ms, task.number, task.due.document.id))


def _takes_people(document: DataCollection) -> bool:
    return any(item.source != "level2" and item.required for item in document.items)


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
