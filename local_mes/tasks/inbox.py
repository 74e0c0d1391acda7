"""The inbox: what workflows ask of people after a failed check, derived from decisions and standards, never stored.

A decision that failed names its rule; the rule names a workflow; the workflow's version in force at that moment lists
actions with a role and a time to answer in. What was done is a fact. So a task cannot be lost between two tables, and
rebuilding the plant from its journal brings the same inbox.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, select

from local_mes.plant import Plant
from local_mes.tasks import errors
from shared.journal.fact import Draft, Occurred
from shared.material.tables import material
from shared.quality.queries import find_decision
from shared.standards.documents import QualityRule, Workflow
from shared.standards.queries import find_document, find_in_force, versions_run
from shared.tasks.facts import TaskDone
from shared.tasks.queries import FAILED, done_of, failed_checks

LOOK_BACK_MS = 14 * 86_400_000
"""A task older than two weeks is history: its case or hold stands elsewhere."""
CHECKS_MAX = 500
"""Failed checks of rules with a workflow, the youngest first: more than a shift could answer."""
LEAD = "lead"


@dataclass(frozen=True)
class Task:
    """One action somebody is to do. due_ms: when the role's time to answer is over; done_ms None while it is open."""

    decision_id: str
    action: int
    workflow_id: str
    role: str
    text: str
    rule_id: str
    material_id: str
    number: str
    why: str
    begun_ms: int
    due_ms: int
    done_ms: int | None
    done_by: str
    note: str

    def is_overdue(self, now_ms: int) -> bool:
        """Whether it should have been done by now."""
        return self.done_ms is None and now_ms > self.due_ms


def list_tasks(conn: Connection, plant: Plant) -> list[Task]:
    """All tasks of the last two weeks: open ones first, the most urgent on top, then those done."""
    rules = _rules_with_workflow(conn, plant.code)
    checks = failed_checks(conn, plant.code, plant.clock.now_ms() - LOOK_BACK_MS, CHECKS_MAX, rules)
    done = done_of(conn, plant.code, [row.decision_id for row in checks])
    numbers = _numbers(conn, plant.code, {row.material_id for row in checks})
    tasks = [task for row in checks for task in _tasks(conn, plant.code, row, done, numbers)]
    return sorted(tasks, key=lambda t: (t.done_ms is not None, -(t.done_ms or 0), t.due_ms, t.decision_id, t.action))


def concerns(task: Task, roles: Collection[str], now_ms: int) -> bool:
    """Whether a person with these roles sees it as theirs: their role's, or overdue and they lead the shift."""
    return task.role in roles or (LEAD in roles and task.is_overdue(now_ms))


def finish(plant: Plant, decision_id: str, action: int, note: str, actor: str, command_id: str) -> None:
    """Write down that an action was done."""
    with plant.journal.work() as tx:
        if tx.once(command_id) is not None:
            return
        tasks = [t for t in _tasks_of(tx.conn, plant, decision_id) if t.action == action]
        if not tasks:
            raise errors.no_task(decision_id, action)
        if tasks[0].done_ms is not None:
            raise errors.done_already()
        fact = TaskDone(decision_id=decision_id, workflow_id=tasks[0].workflow_id, action=action, note=note.strip())
        now = tx.now_ms()
        occurred = Occurred(now, "manual", plant.model.calendar.offset_min(now))
        tx.record(Draft(payload=fact, subjects=(decision_id, tasks[0].material_id), actor=actor, occurred=occurred))
        tx.done(command_id, True)


def _rules_with_workflow(conn: Connection, plant: str) -> list[str]:
    """Rules that the plant runs or ran and that name a workflow: only their failed checks are looked at."""
    found = set()
    for standard_id, version, sha256 in versions_run(conn, plant):
        document = find_document(conn, standard_id, version, sha256)
        if isinstance(document, QualityRule) and document.rule.otherwise.workflow:
            found.add(standard_id)
    return sorted(found)


def _tasks_of(conn: Connection, plant: Plant, decision_id: str) -> list[Task]:
    """The tasks of one decision, wherever it stands in the list."""
    row = find_decision(conn, plant.code, decision_id)
    if row is None or row.outcome not in FAILED or row.decided_at_ms < plant.clock.now_ms() - LOOK_BACK_MS:
        return []
    done = done_of(conn, plant.code, [decision_id])
    return _tasks(conn, plant.code, row, done, _numbers(conn, plant.code, {row.material_id}))


def _tasks(
    conn: Connection, plant: str, row: Row[Any], done: dict[tuple[str, int], Row[Any]], numbers: dict[str, str]
) -> list[Task]:
    workflow = _workflow(conn, plant, row)
    if workflow is None:
        return []
    found = []
    for action, asked in enumerate(workflow.actions, start=1):
        said = done.get((row.decision_id, action))
        found.append(
            Task(
                row.decision_id,
                action,
                workflow.id,
                asked.role,
                asked.text,
                row.rule_id,
                row.material_id,
                numbers.get(row.material_id, ""),
                row.explanation,
                row.decided_at_ms,
                row.decided_at_ms + asked.within_min * 60_000,
                said.done_ms if said else None,
                said.done_by if said else "",
                said.note if said else "",
            )
        )
    return found


def _workflow(conn: Connection, plant: str, row: Row[Any]) -> Workflow | None:
    rule = find_document(conn, row.rule_id, row.rule_version, row.rule_hash)
    name = rule.rule.otherwise.workflow if isinstance(rule, QualityRule) else ""
    adopted = (
        (find_in_force(conn, plant, name, row.decided_at_ms) or find_in_force(conn, plant, name)) if name else None
    )
    document = find_document(conn, name, adopted.version, adopted.sha256) if adopted else None
    return document if isinstance(document, Workflow) else None


def _numbers(conn: Connection, plant: str, ids: set[str]) -> dict[str, str]:
    query = select(material.c.material_id, material.c.number)
    rows = conn.execute(query.where(material.c.author == plant, material.c.material_id.in_(sorted(ids)))) if ids else ()
    return {row.material_id: row.number for row in rows}
