"""JSON of the plant's standards: what runs here, and deviating from it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Literal, Self

import msgspec
from flask_openapi import Tag
from pydantic import BaseModel, Field, model_validator

from local_mes.context import plant
from local_mes.standards import service
from local_mes.standards.reading import Running, Standing, read_standing
from shared.standards.deviation_form import JudgeBody
from shared.web.accounts import names_of
from shared.web.api_blueprint import APIBlueprint
from shared.web.body import Body, Moment
from shared.web.context import actor, node, reading, requires

tag = Tag(name="standards", description="What runs here, which version, since when, and what is missing")
api = APIBlueprint(
    "standards_api", __name__, url_prefix="/api/v1/standards", abp_tags=[tag], abp_security=[{"bearer": []}]
)


class DeviationBody(Body):
    """A deviation to declare; parameter is "UNIT.name" as listed with the standard's values."""

    command_id: str = Field(min_length=1, max_length=64)
    standard_id: str = Field(max_length=40)
    parameter: str = Field(max_length=64)
    value: str = Field(min_length=1, max_length=200)
    owner: str = Field(min_length=1, max_length=64)
    reason: str = Field(min_length=3, max_length=1_000)
    expires_ms: Moment


class DeviationPath(BaseModel):
    """One deviation."""

    deviation_id: str = Field(max_length=32)


class EndBody(Body):
    """Why it ends."""

    command_id: str = Field(min_length=1, max_length=64)
    reason: str = Field(min_length=3, max_length=1_000)


class RenewBody(EndBody):
    """Until when it goes on, and why."""

    expires_ms: Moment


class AnswerBody(Body):
    """A plant's word on a version it is asked about: accepted from a time on (none: now), or rejected with a reason."""

    command_id: str = Field(min_length=1, max_length=64)
    standard_id: str = Field(max_length=40)
    version: int = Field(ge=1, le=9_999_999)
    answer: Literal["accepted", "rejected"]
    from_ms: Moment | None = None
    reason: str = Field("", max_length=1_000)

    @model_validator(mode="after")
    def _no_needs_a_reason(self) -> Self:
        if self.answer == "rejected" and len(self.reason.strip()) < 3:
            raise ValueError("a rejection needs its reason")
        return self


class RootBody(Body):
    """The hub's code and the root document's text, for a plant that was enrolled before there was one."""

    hub: str = Field(max_length=12)
    envelope: str = Field(max_length=50_000)


@api.get("")
def standards() -> dict[str, Any]:
    """What is in force here."""
    with reading() as conn:
        standing = read_standing(conn, plant())
    return {
        "items": [_item(running) for running in standing.running],
        "next": None,
        "as_of": node().clock.now_ms(),
        **summary(standing),
    }


def summary(standing: Standing) -> dict[str, Any]:
    """The effective set as a whole, without its items."""
    return {
        "effective_hash": standing.effective_hash,
        "catalogue_version": standing.catalogue_version,
        "adopted_ms": standing.adopted_ms,
        "trust": asdict(standing.trust) if standing.trust else None,
        "refusal": asdict(standing.refusal) if standing.refusal else None,
        "deviations": [asdict(deviation) for deviation in standing.deviations],
    }


@api.post("/deviations")
@requires("engineer")
def declare(body: DeviationBody) -> tuple[dict[str, Any], int]:
    """Declare a deviation and put it in force."""
    made = service.declare(
        plant(),
        body.standard_id,
        body.parameter,
        body.value,
        body.owner,
        body.reason,
        body.expires_ms,
        actor(),
        body.command_id,
    )
    return {"deviation_id": made}, 201


@api.post("/deviations/<deviation_id>/propose")
@requires("engineer")
def propose(path: DeviationPath, body: EndBody) -> tuple[dict[str, Any], int]:
    """Propose a deviation's value to the group; the reason says what it brings."""
    with reading() as conn:
        name = names_of(conn, {actor()}).get(actor(), "an engineer")
    made = service.propose(plant(), path.deviation_id, body.reason, (actor(), name), body.command_id)
    return {"proposal_id": made}, 201


@api.post("/deviations/<deviation_id>/end")
@requires("engineer")
def end(path: DeviationPath, body: EndBody) -> dict[str, Any]:
    """End a deviation before its time."""
    service.end(plant(), path.deviation_id, body.reason, actor(), body.command_id)
    return {"deviation_id": path.deviation_id}


@api.post("/deviations/<deviation_id>/renew")
@requires("engineer")
def renew(path: DeviationPath, body: RenewBody) -> dict[str, Any]:
    """Let a deviation in force go on until a later time; it waits for approval anew."""
    service.renew(plant(), path.deviation_id, body.expires_ms, body.reason, actor(), body.command_id)
    return {"deviation_id": path.deviation_id}


@api.post("/deviations/<deviation_id>/judge")
@requires("quality", "lead")
def judge(path: DeviationPath, body: JudgeBody) -> dict[str, Any]:
    """Approve a deviation, or object to it, as a person who did not ask for it."""
    word = (body.expires_ms, body.verdict, body.reason)
    service.judge(plant(), path.deviation_id, *word, actor(), body.command_id)
    return {"deviation_id": path.deviation_id, "verdict": body.verdict}


@api.get("/asked")
def asked() -> dict[str, Any]:
    """What the group asks this plant to take, with what it would change and what was answered."""
    with reading() as conn:
        found = service.list_asked(conn, plant())
    return {"items": [_asked(each) for each in found], "next": None, "as_of": node().clock.now_ms()}


@api.post("/answers")
@requires("engineer", "quality")
def answer(body: AnswerBody) -> dict[str, Any]:
    """Say yes, now or from a time on, or no with a reason; the last word counts."""
    key = (body.standard_id, body.version)
    if body.answer == "accepted":
        service.accept(plant(), *key, body.from_ms or 0, actor(), body.command_id)
    else:
        service.reject(plant(), *key, body.reason, actor(), body.command_id)
    return {"standard_id": body.standard_id, "version": body.version, "answer": body.answer}


@api.post("/root")
@requires("engineer")
def trust_root(body: RootBody) -> dict[str, Any]:
    """Trust the group's root document, once; compare its hash with the standards office aloud."""
    version = service.trust_root(plant(), body.hub, body.envelope)
    service.adopt_pending(plant())
    return {"version": version}


def _asked(asked: service.Asked) -> dict[str, Any]:
    return {
        "standard_id": asked.document.id,
        "version": asked.document.version,
        "title": asked.document.title,
        "answer_by_ms": asked.answer_by_ms,
        "present_version": asked.present.version if asked.present else None,
        "differences": [asdict(change) for change in asked.differences],
        "missing": list(asked.missing),
        "answer": asdict(asked.answer) if asked.answer else None,
    }


def _item(running: Running) -> dict[str, Any]:
    return {
        **msgspec.structs.asdict(running.adopted),
        "title": running.title,
        "kind": running.document.kind if running.document else "",
    }
