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
from shared.journal.fact import Draft, Occurred, Payload
from shared.journal.journal import Work
from shared.material.tables import material
from shared.quality.queries import find_decision
from shared.standards.documents import QualityRule, Workflow
from shared.standards.queries import find_document, find_in_force, versions_run
from shared.tasks.facts import TaskAcknowledged, TaskDone
from shared.tasks.queries import FAILED, acknowledged_of, done_of, failed_checks, held_by

LOOK_BACK_MS = 14 * 86_400_000
"""A task older than two weeks is history: its case or hold stands elsewhere."""
CHECKS_MAX = 500
"""Failed checks of rules with a workflow, the youngest first: more than a shift could answer."""
LEAD = "lead"


@dataclass(frozen=True)
class Task:
    """One action somebody is to do.

    due_ms     when the role's time to answer is over; done_ms is None while it is open
    answer_ms  by when somebody must have said that they are on it; then it goes to the role escalate_to as well
    """

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
    answer_ms: int = 0
    escalate_to: str = LEAD
    qualification: str = ""
    acknowledged_ms: int | None = None
    acknowledged_by: str = ""

    def is_escalated(self, now_ms: int) -> bool:
        """Whether nobody said in time that they are on it."""
        return self.done_ms is None and self.acknowledged_ms is None and now_ms > self.answer_ms

    def is_overdue(self, now_ms: int) -> bool:
        """Whether it should have been done by now."""
        return self.done_ms is None and now_ms > self.due_ms


def list_tasks(conn: Connection, plant: Plant) -> list[Task]:
    """All tasks of the last two weeks: open ones first, the most urgent on top, then those done."""
    rules = _rules_with_workflow(conn, plant.code)
    checks = failed_checks(conn, plant.code, plant.clock.now_ms() - LOOK_BACK_MS, CHECKS_MAX, rules)
    said = _read_said(conn, plant.code, [row.decision_id for row in checks])
    numbers = _numbers(conn, plant.code, {row.material_id for row in checks})
    tasks = [task for row in checks for task in _tasks(conn, plant.code, row, said, numbers)]
    return sorted(tasks, key=lambda t: (t.done_ms is not None, -(t.done_ms or 0), t.due_ms, t.decision_id, t.action))


def concerns(task: Task, roles: Collection[str], now_ms: int, held: Collection[str] = ()) -> bool:
    """Whether a person sees it as theirs: their role's, gone up to them, or overdue and they lead the shift.

    What takes a qualification is theirs only if they hold it; who it has gone up to sees it all the same, to find somebody.
    """
    gone_up = task.is_escalated(now_ms) and task.escalate_to in roles
    if gone_up or (LEAD in roles and task.is_overdue(now_ms)):
        return True
    return task.role in roles and (not task.qualification or task.qualification in held)


def acknowledge(plant: Plant, decision_id: str, action: int, actor: str, command_id: str) -> None:
    """Say that one is on it; from then on it goes up to nobody before it is overdue."""
    with plant.journal.work() as tx:
        if tx.once(command_id) is not None:
            return
        task = _get(tx, plant, decision_id, action, actor)
        if task.acknowledged_ms is None:
            fact = TaskAcknowledged(decision_id=decision_id, workflow_id=task.workflow_id, action=action)
            _record(tx, plant, fact, task, actor)
        tx.done(command_id, True)


def finish(plant: Plant, decision_id: str, action: int, note: str, actor: str, command_id: str) -> None:
    """Write down that an action was done."""
    with plant.journal.work() as tx:
        if tx.once(command_id) is not None:
            return
        task = _get(tx, plant, decision_id, action, actor)
        fact = TaskDone(decision_id=decision_id, workflow_id=task.workflow_id, action=action, note=note.strip())
        _record(tx, plant, fact, task, actor)
        tx.done(command_id, True)


def _get(tx: Work, plant: Plant, decision_id: str, action: int, actor: str) -> Task:
    """An open task that this person may answer."""
    found = [task for task in _tasks_of(tx.conn, plant, decision_id) if task.action == action]
    if not found:
        raise errors.no_task(decision_id, action)
    if found[0].done_ms is not None:
        raise errors.done_already()
    needed = found[0].qualification
    if needed and needed not in held_by(tx.conn, plant.code, actor, tx.now_ms()):
        raise errors.not_qualified(needed)
    return found[0]


def _record(tx: Work, plant: Plant, fact: Payload, task: Task, actor: str) -> None:
    now = tx.now_ms()
    occurred = Occurred(now, "manual", plant.model.calendar.offset_min(now))
    subjects = (task.decision_id, task.material_id)
    tx.record(Draft(payload=fact, subjects=subjects, actor=actor, occurred=occurred))


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
    said = _read_said(conn, plant.code, [decision_id])
    return _tasks(conn, plant.code, row, said, _numbers(conn, plant.code, {row.material_id}))


@dataclass(frozen=True)
class _Said:
    """What people have said of actions: (decision, action) -> row."""

    done: dict[tuple[str, int], Row[Any]]
    acknowledged: dict[tuple[str, int], Row[Any]]


def _read_said(conn: Connection, plant: str, decision_ids: list[str]) -> _Said:
    return _Said(done_of(conn, plant, decision_ids), acknowledged_of(conn, plant, decision_ids))


def _tasks(conn: Connection, plant: str, row: Row[Any], answers: _Said, numbers: dict[str, str]) -> list[Task]:
    workflow = _workflow(conn, plant, row)
    if workflow is None:
        return []
    found = []
    for action, asked in enumerate(workflow.actions, start=1):
        said = answers.done.get((row.decision_id, action))
        heard = answers.acknowledged.get((row.decision_id, action))
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
                row.decided_at_ms + asked.due_within_min * 60_000,
                said.done_ms if said else None,
                said.done_by if said else "",
                said.note if said else "",
                row.decided_at_ms + asked.acknowledged_within_min * 60_000,
                asked.escalate_to or LEAD,
                asked.qualification,
                heard.at_ms if heard else None,
                heard.said_by if heard else "",
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
