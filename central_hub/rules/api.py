"""JSON of the rules over arriving facts: which are asked, what they said, asking one again, doing what follows."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from flask_openapi import Tag
from pydantic import BaseModel, Field

from central_hub.context import hub
from central_hub.rules import service
from shared.web.api_blueprint import APIBlueprint
from shared.web.asof import as_of
from shared.web.body import Body
from shared.web.context import actor, reading, requires

WORKERS = ("author", "approver", "logistics", "owner", "engineer")
"""Who does what a rule of the group asks."""

tag = Tag(name="group rules", description="Rules over the facts that arrive at the hub, and what they said")
api = APIBlueprint(
    "group_rules_api", __name__, url_prefix="/api/v1/group-rules", abp_tags=[tag], abp_security=[{"bearer": []}]
)


class DecisionsQuery(BaseModel):
    """Narrows the list."""

    rule: str = Field("", max_length=40)
    limit: int = Field(100, ge=1, le=500)


class DecisionPath(BaseModel):
    """One decision."""

    decision_id: str = Field(max_length=32)


class TaskPath(DecisionPath):
    """One step of what it asks, from 1."""

    action: int = Field(ge=1, le=100)


class DoneBody(Body):
    """What was done."""

    command_id: str = Field(min_length=1, max_length=64)
    note: str = Field("", max_length=500)


@api.get("")
def rules() -> dict[str, Any]:
    """The rules that are asked now."""
    with reading() as conn:
        found = service.list_rules(conn, hub())
    items = [
        {"rule_id": rule.id, "version": rule.version, "sha256": sha256, "title": rule.title, "about": rule.about}
        for rule, sha256 in found
    ]
    return {"items": items, "next": None, **as_of()}


@api.get("/decisions")
def decisions(query: DecisionsQuery) -> dict[str, Any]:
    """What they said, the youngest first."""
    with reading() as conn:
        found = service.read_decisions(conn, hub(), query.limit, query.rule)
    return {"items": [asdict(each) for each in found], "next": None, **as_of()}


@api.get("/decisions/<decision_id>/again")
def again(path: DecisionPath) -> dict[str, Any]:
    """The same version asked again with the inputs of then; `same` is whether it says the same."""
    with reading() as conn:
        decision = service.read_decision(conn, hub(), path.decision_id)
        said = service.ask_again(conn, decision)
    same = said is not None and (said.outcome, said.reason) == (decision.outcome, decision.explanation)
    outcome, reason = (said.outcome, said.reason) if said else ("", "")
    return {"decision_id": path.decision_id, "outcome": outcome, "explanation": reason, "same": same}


@api.post("/decisions/<decision_id>/tasks/<int:action>")
@requires(*WORKERS)
def finish(path: TaskPath, body: DoneBody) -> dict[str, Any]:
    """A step of its workflow is done."""
    service.finish(hub(), path.decision_id, path.action, body.note, actor(), body.command_id)
    return {"decision_id": path.decision_id, "action": path.action}
