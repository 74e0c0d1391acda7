"""The gate's tablet as JSON: its list, pictures of damage, and the route of a piece that came from elsewhere."""

from __future__ import annotations

from typing import Any

from flask_openapi import Tag
from pydantic import Field

from local_mes.context import plant
from local_mes.transfers import service
from local_mes.transfers.api import SHIPPERS, Command, Picture
from local_mes.transfers.gate import read_gate
from shared.web.api_blueprint import APIBlueprint
from shared.web.asof import as_of
from shared.web.body import Asked
from shared.web.context import actor, reading, requires

tag = Tag(name="transfers", description="Loads, receipts and cases between plants")
bp = APIBlueprint("gate_api", __name__, url_prefix="/api/v1", abp_tags=[tag], abp_security=[{"bearer": []}])


class ReceiptPath(Asked):
    """A receipt by its id."""

    receipt_id: str = Field(max_length=64)


class PhotoBody(Command):
    """A picture taken after the receipt."""

    photo: Picture


class RouteBody(Command):
    """Another route than the receipt said, and why."""

    piece: str = Field(min_length=1, max_length=64)
    route: str = Field(min_length=1, max_length=64)
    reason: str = Field(min_length=1, max_length=500)


@bp.get("/gate", summary="What the gate's tablet keeps: loads that come, each piece with all its numbers")
def get_gate() -> dict[str, Any]:
    """route: what the plant model's rules say; the person at the gate may choose another one."""
    with reading() as conn:
        return read_gate(plant(), conn) | as_of()


@bp.post("/receipts/<receipt_id>/photos", summary="A picture of a piece that was taken in")
@requires(*SHIPPERS)
def post_photo(path: ReceiptPath, body: PhotoBody) -> tuple[dict[str, Any], int]:
    """Kept at this plant under its SHA-256; the digest is told to hub and sender."""
    done = service.add_photo(plant(), path.receipt_id, body.photo, actor=actor(), command_id=body.command_id)
    return done, 201


@bp.post("/receipts/route", summary="A piece from elsewhere takes another route here")
@requires("lead", "planner", *SHIPPERS)
def post_route(body: RouteBody) -> tuple[dict[str, Any], int]:
    """By a person's word, over what the plant model's rules said at its receipt."""
    done = service.reroute(
        plant(), body.piece.strip(), body.route, reason=body.reason, actor=actor(), command_id=body.command_id
    )
    return done, 201
