"""JSON of the plant's own standards: write, try on a day, deploy, go back."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from flask_openapi import Tag
from pydantic import BaseModel, Field

from local_mes.context import plant
from local_mes.standards import own
from local_mes.standards.proposing import propose_own
from shared.web.accounts import names_of
from shared.web.api_blueprint import APIBlueprint
from shared.web.asof import as_of
from shared.web.body import Body
from shared.web.context import actor, reading, requires

WRITERS = ("engineer", "quality")
Day = Field("", pattern=r"^(\d{4}-\d{2}-\d{2})?$")

tag = Tag(
    name="own standards", description="Standards of the plant's own: written, tried, deployed and taken back here"
)
api = APIBlueprint(
    "own_standards_api", __name__, url_prefix="/api/v1/own-standards", abp_tags=[tag], abp_security=[{"bearer": []}]
)


class VersionPath(BaseModel):
    """One version of the plant's own."""

    standard_id: str = Field(max_length=40)
    version: int = Field(ge=1, le=9_999_999)


class StandardPath(BaseModel):
    """One standard of the plant's own."""

    standard_id: str = Field(max_length=40)


class Command(Body):
    """What every command carries."""

    command_id: str = Field(min_length=1, max_length=64)


class DocumentBody(Command):
    """A document as the group's are; its id begins with the plant's code."""

    document: dict[str, Any]


class DeployBody(Command):
    """sha256 of the body that was read, why, and a production day it is tried on first (none: it is not tried)."""

    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    reason: str = Field(min_length=3, max_length=1_000)
    day: str = Day


class OwnStandardEndBody(Command):
    """Why."""

    reason: str = Field(min_length=3, max_length=1_000)


class DayQuery(BaseModel):
    """A production day."""

    day: str = Field(pattern=r"^\d{4}-\d{2}-\d{2}$")


@api.get("")
def versions() -> dict[str, Any]:
    """All versions written here."""
    with reading() as conn:
        found = own.list_own(conn, plant())
    return {"items": [_item(version) for version in found], "next": None, **as_of()}


@api.post("")
@requires(*WRITERS)
def write(body: DocumentBody) -> tuple[dict[str, Any], int]:
    """Write a version, or rewrite a draft."""
    made = own.write(plant(), body.document, actor(), body.command_id)
    return {"standard_id": made.id, "version": made.version}, 201


@api.get("/<standard_id>/<int:version>/trial")
@requires(*WRITERS)
def trial(path: VersionPath, query: DayQuery) -> dict[str, Any]:
    """What it would have said on a day that was; nothing is recorded."""
    with reading() as conn:
        return asdict(own.try_draft(conn, plant(), path.standard_id, path.version, query.day))


@api.post("/<standard_id>/<int:version>/deploy")
@requires(*WRITERS)
def deploy(path: VersionPath, body: DeployBody) -> dict[str, Any]:
    """Put it in force now."""
    what = (path.standard_id, path.version, body.sha256)
    own.deploy(plant(), *what, body.reason, actor(), body.command_id, body.day)
    return {"standard_id": path.standard_id, "version": path.version}


@api.post("/<standard_id>/back")
@requires(*WRITERS)
def back(path: StandardPath, body: OwnStandardEndBody) -> dict[str, Any]:
    """The version before is in force again; 0: none of it."""
    version = own.back(plant(), path.standard_id, body.reason, actor(), body.command_id)
    return {"standard_id": path.standard_id, "version": version}


@api.post("/<standard_id>/take-out")
@requires(*WRITERS)
def take_out(path: StandardPath, body: OwnStandardEndBody) -> dict[str, Any]:
    """None of it is in force any more."""
    own.take_out(plant(), path.standard_id, body.reason, actor(), body.command_id)
    return {"standard_id": path.standard_id, "version": 0}


@api.post("/<standard_id>/propose")
@requires(*WRITERS)
def propose(path: StandardPath, body: OwnStandardEndBody) -> tuple[dict[str, Any], int]:
    """Propose the version that runs to the group; the reason says what it brings."""
    with reading() as conn:
        name = names_of(conn, {actor()}).get(actor(), "an engineer")
    made = propose_own(plant(), path.standard_id, body.reason, (actor(), name), body.command_id)
    return {"proposal_id": made}, 201


def _item(version: own.OwnVersion) -> dict[str, Any]:
    document = version.document
    return {
        "standard_id": document.id,
        "version": document.version,
        "kind": document.kind,
        "title": document.title,
        "sha256": version.sha256,
        "status": version.status,
        "runs": version.runs,
        "missing": list(version.missing),
        "trial": version.trial,
    }
