"""Until when a case is to end, and what is to be done: by the group's own published workflow, else by the table of its kind.

A workflow whose trigger is `case.<kind>` (`case.short`), or `case` for all kinds that have none of their own, says who
does what within how many minutes; the case is due with its last step. What is in force when the case is opened counts: a
later version moves no deadline that stands.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection

from shared.journal.fact import StandardRef
from shared.standards.queries import document_of, list_versions
from shared.standards.workflow_kind import WorkflowAction
from shared.transfers.case_rules import first_deadline_ms

ANY = "case"
MINUTE_MS = 60_000


@dataclass(frozen=True)
class CasePlan:
    """What a workflow says of cases."""

    standard: StandardRef
    actions: tuple[WorkflowAction, ...]

    @property
    def minutes(self) -> int:
        """Minutes to the end of its last step."""
        return max(action.due_within_min for action in self.actions)


@dataclass(frozen=True)
class Due:
    """When a case is due (UTC ms), and the standard that says so; None: the table of its kind."""

    at_ms: int
    standard: StandardRef | None = None


@dataclass(frozen=True)
class Deadlines:
    """What the workflows in force say, by trigger."""

    by_trigger: Mapping[str, CasePlan]

    def plan(self, kind: str) -> CasePlan | None:
        """The workflow for a kind of case, or for all."""
        return self.by_trigger.get(f"{ANY}.{kind}") or self.by_trigger.get(ANY)

    def due(self, kind: str, at_ms: int) -> Due:
        """When a case of a kind that is opened at a time is due."""
        plan = self.plan(kind)
        return (
            Due(first_deadline_ms(kind, at_ms))
            if plan is None
            else Due(at_ms + plan.minutes * MINUTE_MS, plan.standard)
        )


def read_deadlines(conn: Connection, hub: str, at_ms: int) -> Deadlines:
    """The group's published workflows of cases, each by its youngest version in force; of two with one trigger the shorter."""
    published = [row for row in list_versions(conn, hub, "published") if row.kind == "workflow"]
    youngest = {row.standard_id: row for row in published if row.effective_from_ms <= at_ms}
    found: dict[str, CasePlan] = {}
    for row in youngest.values():
        document = document_of(row.body)
        if document.kind != "workflow" or document.trigger.split(".")[0] != ANY:
            continue
        plan = CasePlan(StandardRef(row.standard_id, row.version, row.sha256), document.actions)
        known = found.get(document.trigger)
        if known is None or plan.minutes < known.minutes:
            found[document.trigger] = plan
    return Deadlines(found)
