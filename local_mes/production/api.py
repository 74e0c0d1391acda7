"""What people book at units, as JSON."""

from __future__ import annotations

from typing import Any

from flask_openapi import Tag
from pydantic import Field

from local_mes.context import plant
from local_mes.production.manual import Booking, book
from shared.web.api_blueprint import APIBlueprint
from shared.web.body import Body, Moment
from shared.web.context import actor, requires

tag = Tag(name="production", description="Operations booked by hand")
bp = APIBlueprint("production_api", __name__, url_prefix="/api/v1", abp_tags=[tag], abp_security=[{"bearer": []}])


class BookingBody(Body):
    """Good mass, scrap and its reason in one action; grams. number and length only where the operator knows better."""

    command_id: str = Field(min_length=1, max_length=64)
    occurred_at: Moment | None = None
    unit: str = Field(min_length=1, max_length=64)
    piece: str = Field(min_length=1, max_length=64)
    good_mass_g: int = Field(ge=0)
    scrap_g: int = Field(0, ge=0)
    reason: str = Field("", max_length=200)
    number: str = Field("", max_length=64)
    length_um: int = Field(0, ge=0)


@bp.post("/operations/manual")
@requires("operator", "lead")
def post_manual(body: BookingBody) -> tuple[dict[str, Any], int]:
    """Book a step by hand."""
    values = body.model_dump(exclude={"occurred_at"})
    return book(plant(), Booking(**values, actor=actor(), at_ms=body.occurred_at)), 201
