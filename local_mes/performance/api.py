"""Commands around figures as JSON; the reads are shared/performance/api.py."""

from __future__ import annotations

from typing import Any

from flask_openapi import Tag
from pydantic import BaseModel, Field

from local_mes.context import plant
from local_mes.performance import service
from shared.web.api_blueprint import APIBlueprint
from shared.web.body import Body
from shared.web.context import actor, requires

tag = Tag(name="performance", description="Base measures, states and stops of units")
bp = APIBlueprint("performance_commands", __name__, url_prefix="/api/v1", abp_tags=[tag], abp_security=[{"bearer": []}])


class StopPath(BaseModel):
    """A stop."""

    stop_id: str


class ReasonBody(Body):
    """What stopped the unit."""

    command_id: str = Field(min_length=1, max_length=64)
    reason: str = Field(max_length=16)
    note: str = Field("", max_length=500)


class NoteBody(Body):
    """What the next shift must know."""

    command_id: str = Field(min_length=1, max_length=64)
    text: str = Field(min_length=1, max_length=4_000)


@bp.post("/stops/<stop_id>/reason")
@requires("operator", "lead")
def post_reason(path: StopPath, body: ReasonBody) -> dict[str, Any]:
    """Give a stop its reason, or correct it."""
    return service.correct_stop(
        plant(), path.stop_id, body.reason, body.note, actor=actor(), command_id=body.command_id
    )


@bp.post("/handovers")
@requires("lead", "operator")
def post_handover(body: NoteBody) -> tuple[dict[str, Any], int]:
    """Leave a note for the next shift."""
    return service.note_handover(plant(), body.text, actor=actor(), command_id=body.command_id), 201
