"""JSON of what the hub decides for plants."""

from __future__ import annotations

import json
from typing import Any

from flask_openapi import Tag
from pydantic import BaseModel, Field

from central_hub.centre import service
from central_hub.context import hub
from shared.centre.facts import SentOrder
from shared.orders.order_body import OrderBody
from shared.web.api_blueprint import APIBlueprint
from shared.web.asof import as_of
from shared.web.body import Body
from shared.web.context import actor, reading, requires
from shared.web.paging import PageQuery

tag = Tag(name="centre", description="Domains of plants that the hub owns: order release, disposition")
api = APIBlueprint("centre_api", __name__, url_prefix="/api/v1/centre", abp_tags=[tag], abp_security=[{"bearer": []}])


class OrdersBody(Body):
    """Order items to release at one plant."""

    command_id: str = Field(min_length=1, max_length=64)
    items: list[OrderBody] = Field(min_length=1, max_length=200)


class DecisionBody(Body):
    """How a hold of the plant ends; see POST /holds/{hold_id}/release of a plant."""

    command_id: str = Field(min_length=1, max_length=64)
    disposition: str = Field(max_length=16)
    order_item: str = Field("", max_length=64)
    note: str = Field("", max_length=500)
    only_for: str = Field("", max_length=64)
    piece: str = Field("", max_length=64)


class PlantPath(BaseModel):
    """A plant."""

    plant: str = Field(max_length=12)


class HoldPath(PlantPath):
    """A hold of a plant."""

    hold_id: str = Field(max_length=32)


class SentQuery(PageQuery):
    """Narrows the list."""

    plant: str = Field("", max_length=12)


@api.get("")
def sent(query: SentQuery) -> dict[str, Any]:
    """What was sent, the youngest first, with the plants' answers; and who owns what."""
    with reading() as conn:
        owners = service.owner_table(conn)
        rows = service.list_sent(conn, query.plant, query.after, query.limit)
    shown = rows[: query.limit]
    items = [{**row._mapping, "body": json.loads(row.body)} for row in shown]
    return {
        "owners": {plant: dict(domains) for plant, domains in owners},
        "items": items,
        "next": shown[-1].sent_id if len(rows) > query.limit else None,
        **as_of(),
    }


@api.post("/<plant>/orders")
@requires("planner")
def post_orders(path: PlantPath, body: OrdersBody) -> tuple[dict[str, Any], int]:
    """Release order items at a plant; its answer follows in the list."""
    items = [SentOrder(**item.model_dump()) for item in body.items]
    return {"sent_id": service.release_orders(hub(), path.plant, items, actor(), body.command_id)}, 202


@api.post("/<plant>/holds/<hold_id>/release")
@requires("quality")
def post_decision(path: HoldPath, body: DecisionBody) -> tuple[dict[str, Any], int]:
    """Decide on a plant's held piece; its answer follows in the list."""
    values = body.model_dump(exclude={"command_id"})
    decision = service.Decision(hold_id=path.hold_id, **values)
    return {"sent_id": service.decide(hub(), path.plant, decision, actor(), body.command_id)}, 202
