"""JSON of words about standards: proposals of plants and comments."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from flask_openapi import Tag
from pydantic import BaseModel, Field

from central_hub.context import hub
from central_hub.standards import comments, proposals
from central_hub.standards.api import Command, VersionPath
from shared.standards.talk_queries import list_comments
from shared.web.api_blueprint import APIBlueprint
from shared.web.asof import as_of
from shared.web.context import actor, node, reading, requires

tag = Tag(name="standards talk", description="What plants propose to the group, and what people say of a version")
api = APIBlueprint("standards_talk_api", __name__, url_prefix="/api/v1", abp_tags=[tag], abp_security=[{"bearer": []}])

SPEAKERS = ("author", "approver", "owner", "engineer", "logistics")
"""Who may say something of a standard: everybody who changes anything here."""


class ProposalPath(BaseModel):
    """One proposal."""

    proposal_id: str = Field(max_length=32)


class DeclineBody(Command):
    """Why not."""

    reason: str = Field(min_length=3, max_length=1_000)


class CommentBody(Command):
    """What is said; @login names who is to read it."""

    text: str = Field(min_length=1, max_length=comments.TEXT_MAX)


@api.get("/proposals")
def proposed() -> dict[str, Any]:
    """What plants propose, the youngest first, with failed checks and KPIs before and since."""
    with reading() as conn:
        found = proposals.read_proposals(conn, hub())
    return {"items": [_proposed(each) for each in found], "next": None, **as_of()}


@api.post("/proposals/<proposal_id>/draft")
@requires("author")
def draft(path: ProposalPath, body: Command) -> dict[str, Any]:
    """Make a draft of it."""
    standard_id, version = proposals.make_draft(hub(), path.proposal_id, actor(), body.command_id)
    return {"standard_id": standard_id, "version": version}


@api.post("/proposals/<proposal_id>/decline")
@requires("author")
def decline(path: ProposalPath, body: DeclineBody) -> dict[str, Any]:
    """Say no, and why."""
    proposals.decline(hub(), path.proposal_id, body.reason, actor(), body.command_id)
    return {"proposal_id": path.proposal_id, "answer": proposals.DECLINED}


@api.get("/standards/<standard_id>/<int:version>/comments")
def said(path: VersionPath) -> dict[str, Any]:
    """What was said of a version, in order."""
    return _said(path)


@api.post("/standards/<standard_id>/<int:version>/comments")
@requires(*SPEAKERS)
def comment(path: VersionPath, body: CommentBody) -> dict[str, Any]:
    """Say something."""
    comments.comment(hub(), path.standard_id, path.version, body.text, actor(), body.command_id)
    return _said(path)


def _said(path: VersionPath) -> dict[str, Any]:
    with reading() as conn:
        rows = list_comments(conn, node().code, path.standard_id, path.version)
    items = [{"text": r.text, "said_by": r.said_by, "said_ms": r.said_ms, "mentions": r.mentions.split()} for r in rows]
    return {"items": items, "next": None, **as_of()}


def _proposed(found: proposals.Proposed) -> dict[str, Any]:
    checks = {**asdict(found.evidence), "verdict": found.evidence.verdict} if found.evidence else None
    figures = [{**asdict(change), "verdict": change.verdict} for change in found.figures]
    return {**asdict(found.proposal), "evidence": checks, "figures": figures}
