"""JSON of launches: what PLM or ERP sends, and how far each product is."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from flask_openapi import Tag
from pydantic import BaseModel, Field

from central_hub.context import hub
from central_hub.launch import service
from central_hub.launch.wish import read_wish
from shared.web.api_blueprint import APIBlueprint
from shared.web.asof import as_of
from shared.web.body import Body
from shared.web.context import actor, reading, requires

tag = Tag(name="launches", description="New products from PLM or ERP, from draft to first trial heat")
api = APIBlueprint("launch_api", __name__, url_prefix="/api/v1/launches", abp_tags=[tag], abp_security=[{"bearer": []}])


class LaunchBody(Body):
    """A product to be launched: product_id, like (a published product), title, grade; what differs from the template:
    grades, dimensions, properties, tests, chemistry, aims by step."""

    command_id: str = Field(min_length=1, max_length=64)
    product: dict[str, Any]


class LaunchPath(BaseModel):
    """One launch."""

    launch_id: str = Field(max_length=32)


@api.post("")
@requires("author")
def begin(body: LaunchBody) -> tuple[dict[str, Any], int]:
    """Write its drafts and ask for their review."""
    made = service.launch(hub(), read_wish(body.product), actor(), body.command_id)
    with reading() as conn:
        return _item(service.find_launch(conn, hub(), made)), 201


@api.get("")
def launches() -> dict[str, Any]:
    """All of them, the youngest first."""
    with reading() as conn:
        found = service.list_launches(conn, hub())
    return {"items": [_item(each) for each in found], "next": None, **as_of()}


@api.get("/<launch_id>")
def one(path: LaunchPath) -> dict[str, Any]:
    """One, with the state of each draft."""
    with reading() as conn:
        return _item(service.find_launch(conn, hub(), path.launch_id))


def _item(launch: service.Launch) -> dict[str, Any]:
    return {**asdict(launch), "took_ms": launch.took_ms}
