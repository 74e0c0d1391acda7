"""JSON of many versions in one step: what a repository's pipeline or a library sends."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from flask_openapi import Tag
from pydantic import BaseModel, Field

from central_hub.context import hub
from central_hub.standards import batches
from shared.web.api_blueprint import APIBlueprint
from shared.web.body import Body
from shared.web.context import actor, requires

BATCH_MAX = 200
"""Documents in one step: they are one transaction, and other writers wait for it."""

tag = Tag(name="standards", description="Standards: from a draft to signed publication")
api = APIBlueprint(
    "standards_batches_api",
    __name__,
    url_prefix="/api/v1/standards/batches",
    abp_tags=[tag],
    abp_security=[{"bearer": []}],
)


class DraftsBody(Body):
    """Documents (docs/standards.md says what each kind holds); submit: ask for their review as well."""

    command_id: str = Field(min_length=1, max_length=64)
    documents: list[dict[str, Any]] = Field(min_length=1, max_length=BATCH_MAX)
    submit: bool = False


class SeenBody(BaseModel):
    """A version and the SHA-256 of the body that was read."""

    standard_id: str = Field(max_length=40)
    version: int = Field(ge=1, le=9_999_999)
    sha256: str = Field(pattern="^[0-9a-f]{64}$")


class ApprovalsBody(Body):
    """What is approved together, for all plants at once."""

    command_id: str = Field(min_length=1, max_length=64)
    versions: list[SeenBody] = Field(min_length=1, max_length=BATCH_MAX)


@api.post("")
@requires("author")
def draft_all(body: DraftsBody) -> tuple[dict[str, Any], int]:
    """Write many drafts, all or none."""
    made = batches.draft_all(hub(), body.documents, actor(), body.command_id, submit=body.submit)
    return {"items": [asdict(each) for each in made], "next": None}, 201


@api.post("/approve")
@requires("approver")
def approve_all(body: ApprovalsBody) -> dict[str, Any]:
    """Approve many versions, all or none; the key holders are asked once."""
    seen = [batches.Seen(each.standard_id, each.version, each.sha256) for each in body.versions]
    batches.approve_all(hub(), seen, actor(), body.command_id)
    return {"approved": len(seen)}
