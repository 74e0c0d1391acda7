"""Reading what the group's rules said, asking one again with the inputs of then, and doing what a workflow asks."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row

from central_hub.hub import Hub
from central_hub.rules import errors
from central_hub.rules.asking import ask_pending
from central_hub.rules.domain import ask
from central_hub.rules.queries import find_decision, list_decisions, rules_in_force
from shared.journal.fact import Draft, Occurred
from shared.rules.evaluate import Outcome
from shared.standards.documents import GroupRule, Workflow
from shared.standards.group_rule import COUNT_MAX
from shared.standards.queries import find_document
from shared.tasks.facts import TaskDone
from shared.tasks.queries import done_of

__all__ = ["Decision", "Task", "ask_again", "ask_pending", "finish", "list_rules", "read_decision", "read_decisions"]

MIN_MS = 60_000


@dataclass(frozen=True)
class Task:
    """A step of the workflow a decision began. done_ms None while it is open."""

    decision_id: str
    action: int
    role: str
    text: str
    due_ms: int
    done_ms: int | None = None
    done_by: str = ""
    note: str = ""


@dataclass(frozen=True)
class Decision:
    """What a rule said, with what it asks of people. inputs: in stored units.

    bounded: there were as many facts as are counted at most, or more.
    """

    decision_id: str
    rule_id: str
    version: int
    sha256: str
    title: str
    plant: str
    fact_id: str
    key: str
    outcome: str
    inputs: dict[str, int | float | str]
    explanation: str
    counted: tuple[str, ...]
    at_ms: int
    decided_ms: int
    notify: tuple[str, ...]
    note: str
    workflow_id: str
    tasks: tuple[Task, ...]
    bounded: bool

    @property
    def is_open(self) -> bool:
        """Whether a step is still to be done."""
        return any(task.done_ms is None for task in self.tasks)


def list_rules(conn: Connection, hub: Hub) -> list[tuple[GroupRule, str]]:
    """The rules that are asked now, with their hashes."""
    return [(rule.document, rule.sha256) for rule in rules_in_force(conn, hub)]


def read_decisions(conn: Connection, hub: Hub, limit: int, rule_id: str = "") -> list[Decision]:
    """What the rules said, the youngest first."""
    rows = list_decisions(conn, hub, limit, rule_id)
    done = done_of(conn, hub.code, [row.decision_id for row in rows])
    return [_decision(conn, row, done) for row in rows]


def read_decision(conn: Connection, hub: Hub, decision_id: str) -> Decision:
    """One of them."""
    row = find_decision(conn, hub, decision_id)
    if row is None:
        raise errors.no_decision(decision_id)
    return _decision(conn, row, done_of(conn, hub.code, [decision_id]))


def ask_again(conn: Connection, decision: Decision) -> Outcome | None:
    """The same version asked with the same inputs; None when its document is not here."""
    document = find_document(conn, decision.rule_id, decision.version, decision.sha256)
    return ask(document, decision.inputs) if isinstance(document, GroupRule) else None


def finish(hub: Hub, decision_id: str, action: int, note: str, actor: str, command_id: str) -> None:
    """Write down that a step of the workflow was done."""
    with hub.journal.work() as tx:
        if tx.once(command_id) is not None:
            return
        decision = read_decision(tx.conn, hub, decision_id)
        task = next((task for task in decision.tasks if task.action == action), None)
        if task is None:
            raise errors.no_task(action)
        if task.done_ms is not None:
            raise errors.done_already()
        fact = TaskDone(decision_id=decision_id, workflow_id=decision.workflow_id, action=action, note=note.strip())
        occurred = Occurred(tx.now_ms(), "manual")
        tx.record(Draft(payload=fact, subjects=(decision_id,), actor=actor, occurred=occurred))
        tx.done(command_id, True)


def _decision(conn: Connection, row: Row[Any], done: dict[tuple[str, int], Row[Any]]) -> Decision:
    document = find_document(conn, row.rule_id, row.rule_version, row.rule_hash)
    rule = document if isinstance(document, GroupRule) else None
    inputs = json.loads(row.inputs)
    return Decision(
        row.decision_id,
        row.rule_id,
        row.rule_version,
        row.rule_hash,
        rule.title if rule else "",
        row.plant,
        row.fact_id,
        row.key,
        row.outcome,
        inputs,
        row.explanation,
        tuple(json.loads(row.counted)),
        row.at_ms,
        row.decided_ms,
        rule.otherwise.notify if rule else (),
        rule.otherwise.note if rule else "",
        row.workflow_id,
        _tasks(conn, row, done),
        inputs.get("count") == COUNT_MAX,
    )


def _tasks(conn: Connection, row: Row[Any], done: dict[tuple[str, int], Row[Any]]) -> tuple[Task, ...]:
    """The steps of the workflow's version of then; the time to answer in begins when the rule spoke."""
    workflow = find_document(conn, row.workflow_id, row.workflow_version, row.workflow_hash)
    if not isinstance(workflow, Workflow):
        return ()
    found = []
    for action, asked in enumerate(workflow.actions, start=1):
        said = done.get((row.decision_id, action))
        due_ms = row.decided_ms + asked.due_within_min * MIN_MS
        task = Task(row.decision_id, action, asked.role, asked.text, due_ms)
        found.append(
            Task(row.decision_id, action, asked.role, asked.text, due_ms, said.done_ms, said.done_by, said.note)
            if said
            else task
        )
    return tuple(found)
