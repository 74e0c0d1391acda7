"""Uncertain identities as JSON commands; the read is shared/material/identity_api.py."""

from __future__ import annotations

from typing import Any, Literal

from flask_openapi import Tag
from pydantic import BaseModel, Field

from local_mes.context import plant
from local_mes.production import identity
from local_mes.production.work_api import LENGTH_MAX_UM, CommandBody, NumberPath
from shared.web.api_blueprint import APIBlueprint
from shared.web.body import Moment
from shared.web.context import requires

tag = Tag(name="identity", description="Pieces that are not certain of themselves")
bp = APIBlueprint("identity_api", __name__, url_prefix="/api/v1", abp_tags=[tag], abp_security=[{"bearer": []}])
MAY = ("lead", "quality", "yard")


class DoubtBody(CommandBody):
    """Pieces that may be each other since a time (default: now); numbers: those that were booked, default all."""

    candidates: list[str] = Field(min_length=2, max_length=identity.SET_MAX)
    numbers: list[str] = Field(default_factory=list, max_length=identity.SET_MAX)
    place: str = Field("", max_length=64)
    reason: str = Field(min_length=1, max_length=500)
    since: Moment | None = None


class SetPath(BaseModel):
    """A set."""

    set_id: str = Field(max_length=32)


class ResolveBody(CommandBody):
    """Number -> the piece (number or id) it turned out to be. labels: the labels go with the steel."""

    said: dict[str, str] = Field(max_length=identity.SET_MAX)
    evidence: str = Field(min_length=1, max_length=500)
    labels: bool = False


class NamelessBody(CommandBody):
    """A piece whose name cannot be read; g, um."""

    kind: Literal["slab", "coil", "slit"]
    place: str = Field(min_length=1, max_length=64)
    mass_g: int = Field(gt=0, le=10**9)
    number: str = Field("", max_length=64)
    thickness_um: int = Field(0, ge=0, le=LENGTH_MAX_UM)
    width_um: int = Field(0, ge=0, le=LENGTH_MAX_UM)
    length_um: int = Field(0, ge=0, le=LENGTH_MAX_UM)


class IdentifyBody(CommandBody):
    """What the nameless piece is, and how it is known."""

    known_as: str = Field(min_length=1, max_length=64)
    evidence: str = Field(min_length=1, max_length=500)


class NumberBody(CommandBody):
    """A further number."""

    number: str = Field(min_length=1, max_length=64)


@bp.post("/identity-sets")
@requires(*MAY)
def post_doubt(body: DoubtBody) -> tuple[dict[str, Any], int]:
    """Put pieces into a set."""
    asked = identity.Doubt(tuple(body.candidates), body.place, body.reason, tuple(body.numbers), body.since)
    return identity.doubt(plant(), body.command(), asked), 201


@bp.post("/identity-sets/<set_id>/resolve")
@requires("lead", "quality")
def post_resolve(path: SetPath, body: ResolveBody) -> dict[str, Any]:
    """Say which is which."""
    return identity.resolve(plant(), body.command(), path.set_id, body.said, body.evidence, labels=body.labels)


@bp.post("/pieces/nameless")
@requires(*MAY)
def post_nameless(body: NamelessBody) -> tuple[dict[str, Any], int]:
    """Take in a piece that nobody knows."""
    asked = identity.Nameless(**body.model_dump(exclude={"command_id", "occurred_at"}))
    return identity.take_in_nameless(plant(), body.command(), asked), 201


@bp.post("/pieces/<number>/identify")
@requires("lead", "quality")
def post_identify(path: NumberPath, body: IdentifyBody) -> dict[str, Any]:
    """A nameless piece is a known one."""
    return identity.identify(plant(), body.command(), path.number, body.known_as, body.evidence)


@bp.post("/pieces/<number>/number")
@requires(*MAY)
def post_number(path: NumberPath, body: NumberBody) -> dict[str, Any]:
    """Give a further number."""
    return identity.give_number(plant(), body.command(), path.number, body.number)
