"""JSON of the standards office: drafts, review, approval, signing requests and signatures, root, catalogue."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import msgspec
from flask import Response, current_app
from flask_openapi import Tag
from pydantic import BaseModel, Field
from sqlalchemy import Row

from central_hub.context import hub
from central_hub.standards import errors, publishing, reading, service, trusting
from central_hub.standards.queries import find_catalogue, find_open_request
from central_hub.standards.rollouts import ANSWER_DAYS_MAX, WAVES_MAX
from shared.errors import BadInput, NotFound
from shared.standards.facts import Wave
from shared.standards.signing import SigningAnswer
from shared.web.api_blueprint import APIBlueprint
from shared.web.asof import as_of
from shared.web.body import Body, Moment
from shared.web.context import actor, node, requires
from shared.web.context import reading as picture

tag = Tag(name="standards", description="Standards: from a draft to signed publication")
api = APIBlueprint(
    "standards_api", __name__, url_prefix="/api/v1/standards", abp_tags=[tag], abp_security=[{"bearer": []}]
)


class VersionPath(BaseModel):
    """One version of a standard."""

    standard_id: str = Field(max_length=40)
    version: int = Field(ge=1, le=9_999_999)


class RequestPath(BaseModel):
    """One signing request, or `open` for the one that waits."""

    request_id: str = Field(max_length=32)


class ListQuery(BaseModel):
    """Narrows the list."""

    status: str = Field("", max_length=32)
    kind: str = Field("", max_length=32)


class Command(Body):
    """What every command carries."""

    command_id: str = Field(min_length=1, max_length=64)


class DraftBody(Command):
    """A document (docs/standards.md says what each kind holds)."""

    document: dict[str, Any]


class WaveBody(BaseModel):
    """Plants that begin together: at a time (ms UTC; 0: by a person), asked for so many days (0: not asked)."""

    plants: list[str] = Field(min_length=1, max_length=1_000)
    starts_ms: int = Field(0, ge=0, le=1 << 53)
    answer_days: int = Field(0, ge=0, le=ANSWER_DAYS_MAX)


class ApproveBody(Command):
    """sha256 of the body that was read; when it takes hold at the plants (ms UTC; none: on arrival).

    waves: who begins before the others, in turns; none: all plants at once.
    """

    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    effective_from_ms: Moment | None = None
    waves: list[WaveBody] = Field([], max_length=WAVES_MAX)


class ReasonBody(Command):
    """Why."""

    reason: str = Field(min_length=3, max_length=1_000)


class AnswerBody(Body):
    """A key holder's answer as `strandline standards sign` writes it."""

    request_id: str = Field(max_length=32)
    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    keyid: str = Field(max_length=64)
    sig: str = Field(max_length=200)


class RootBody(Body):
    """The root document's file content as `strandline standards root` writes it."""

    envelope: str = Field(max_length=50_000)


@api.get("")
def versions(query: ListQuery) -> dict[str, Any]:
    """All versions."""
    here = node()
    with picture() as conn:
        rows = reading.list_rows(conn, here.code, query.status, query.kind)
    return {"items": [_version(row) for row in rows], "next": None, **as_of()}


@api.get("/<standard_id>/<int:version>")
def version(path: VersionPath) -> dict[str, Any]:
    """One version: document, and what differs from the version published before it."""
    with picture() as conn:
        found = reading.find_whole(conn, node().code, path.standard_id, path.version)
    if found is None:
        raise errors.unknown_version(path.standard_id, path.version)
    return {
        **_version(found.row),
        "document": json.loads(found.row.body),
        "compared_with": found.compared_with,
        "differences": [asdict(change) for change in found.differences],
    }


@api.post("", responses={201: VersionPath})
@requires("author")
def draft(body: DraftBody) -> tuple[dict[str, Any], int]:
    """Write a version, or rewrite one's own draft."""
    made = service.draft(hub(), body.document, actor(), body.command_id)
    return {"standard_id": made.id, "version": made.version}, 201


@api.post("/<standard_id>/<int:version>/submit")
@requires("author")
def submit(path: VersionPath, body: Command) -> dict[str, Any]:
    """Ask for review."""
    service.submit(hub(), path.standard_id, path.version, actor(), body.command_id)
    return _after(path)


@api.post("/<standard_id>/<int:version>/return")
@requires("approver")
def send_back(path: VersionPath, body: ReasonBody) -> dict[str, Any]:
    """Return to the author."""
    service.send_back(hub(), path.standard_id, path.version, body.reason, actor(), body.command_id)
    return _after(path)


@api.post("/<standard_id>/<int:version>/approve")
@requires("approver")
def approve(path: VersionPath, body: ApproveBody) -> dict[str, Any]:
    """Approve what was read; asks the key holders for signatures."""
    waves = [Wave(tuple(w.plants), w.starts_ms, w.answer_days) for w in body.waves]
    service.approve(
        hub(), path.standard_id, path.version, body.sha256, actor(), body.command_id, body.effective_from_ms, waves
    )
    return _after(path)


@api.post("/<standard_id>/<int:version>/withdraw")
@requires("approver")
def withdraw(path: VersionPath, body: ReasonBody) -> dict[str, Any]:
    """Take a published version out of use."""
    service.withdraw(hub(), path.standard_id, path.version, body.reason, actor(), body.command_id)
    return _after(path)


@api.get("/requests/<request_id>")
def request_file(path: RequestPath) -> Response:
    """A signing request, to be saved as a file and taken to a key holder; `open` gives the one that waits."""
    with picture() as conn:
        request_id = path.request_id
        if request_id == "open":
            row = find_open_request(conn, node().code)
            if row is None:
                raise NotFound("standards.no_request", "No signing request is open.", todo="Approve a version first.")
            request_id = row.request_id
        content = msgspec.json.encode(publishing.request_file(conn, hub(), request_id))
    answer = current_app.response_class(content, mimetype="application/json")
    answer.headers["Content-Disposition"] = f'attachment; filename="signing-request-{request_id}.json"'
    return answer


@api.post("/requests/<request_id>/signatures")
def signatures(path: RequestPath, body: AnswerBody) -> dict[str, Any]:
    """Hand in a signature. Anyone signed in may carry it: what counts is the key, and each is verified."""
    if body.request_id != path.request_id:
        raise BadInput(
            "standards.other_request",
            f"The signature is for request {body.request_id}, not for {path.request_id}.",
            todo="Send it to its own request.",
        )
    published = publishing.give_signature(hub(), SigningAnswer(**body.model_dump()), actor())
    return {"request_id": path.request_id, "published": published}


@api.get("/root")
def root() -> dict[str, Any]:
    """The hub's public key for the root document, and the root in force ("" before there is one)."""
    with picture() as conn:
        envelope = trusting.root_envelope(conn)
    return {"online_key": node().key.public.hex(), "envelope": envelope}


@api.post("/root")
@requires("owner", "engineer")
def trust_root(body: RootBody) -> dict[str, Any]:
    """Hand the hub the root document, or the next one of the chain."""
    return {"version": trusting.trust_root(hub(), body.envelope, actor()).version}


@api.get("/catalogue")
def catalogue() -> dict[str, Any]:
    """The signed catalogue in force, with its envelope for anyone who wants to verify it."""
    with picture() as conn:
        found = find_catalogue(conn, node().code)
    if found is None:
        return {"version": 0, "entries": [], "envelope": ""}
    return {**msgspec.to_builtins(found[0]), "envelope": found[1].envelope, "sha256": found[1].sha256}


def _after(path: VersionPath) -> dict[str, Any]:
    with picture() as conn:
        found = reading.find_whole(conn, node().code, path.standard_id, path.version)
    if found is None:
        raise errors.unknown_version(path.standard_id, path.version)
    return _version(found.row)


def _version(row: Row[Any]) -> dict[str, Any]:
    hidden = ("author", "body", "published_fact")
    return {name: value for name, value in row._mapping.items() if name not in hidden}
