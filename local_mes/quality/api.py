"""Commands of quality as JSON; the reads are shared/quality/api.py."""

from __future__ import annotations

from typing import Any

from flask_openapi import Tag
from pydantic import BaseModel, Field

from local_mes.context import plant
from local_mes.quality import service
from local_mes.quality.others import read_others
from shared.web.api_blueprint import APIBlueprint
from shared.web.asof import as_of
from shared.web.body import Body, Moment
from shared.web.context import actor, node, reading, requires

tag = Tag(name="quality", description="Samples, decisions and holds")
bp = APIBlueprint("quality_commands", __name__, url_prefix="/api/v1", abp_tags=[tag], abp_security=[{"bearer": []}])


class Command(Body):
    """What every command carries."""

    command_id: str = Field(min_length=1, max_length=64)
    occurred_at: Moment | None = None


class HoldBody(Command):
    """A piece to hold, by any of its numbers."""

    piece: str = Field(min_length=1, max_length=64)
    reason: str = Field(min_length=1, max_length=500)


class ReleaseBody(Command):
    """How a hold ends. `piece` only where the hold came down from a parent and this one piece is freed of it."""

    disposition: str = Field(max_length=16, description="prime | downgrade | reapply | rework | scrap | return")
    order_item: str = Field("", max_length=64)
    note: str = Field("", max_length=500)
    only_for: str = Field("", max_length=64)
    piece: str = Field("", max_length=64)


class HoldPath(BaseModel):
    """A hold."""

    hold_id: str


@bp.post("/holds")
@requires("quality", "lead")
def post_hold(body: HoldBody) -> tuple[dict[str, Any], int]:
    """Hold a piece; a held heat reaches its slabs at once."""
    command = service.PlaceHold(body.command_id, actor(), body.piece, body.reason, body.occurred_at)
    return service.place_hold(plant(), command), 201


@bp.get("/holds/others", summary="How old the list of other plants' holds is")
def get_others() -> dict[str, Any]:
    """through_ms: the hub sealed that nothing is missing up to then, null before its first word; open: holds that bind here."""
    with reading() as conn:
        found = read_others(conn, node().code, node().clock.now_ms())
    told = {"through_ms": found.through_ms, "age_ms": found.age_ms, "open": found.open_count, "old": found.is_old}
    return told | as_of()


@bp.post("/holds/<hold_id>/release")
@requires("quality")
def post_release(path: HoldPath, body: ReleaseBody) -> dict[str, Any]:
    """End one hold with a disposition; the rule is asked again about the piece itself, as evidence."""
    command = service.ReleaseHold(
        body.command_id,
        actor(),
        path.hold_id,
        body.disposition,
        body.order_item,
        body.note,
        body.only_for,
        body.piece,
        body.occurred_at,
    )
    return service.release_hold(plant(), command)
