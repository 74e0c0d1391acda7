"""How an order item is told as JSON, the same at a plant and at a hub that releases for plants."""

from __future__ import annotations

from pydantic import Field

from shared.web.body import Body


class OrderBody(Body):
    """One order item; quantities in g and um."""

    item: str = Field(min_length=1, max_length=64)
    customer: str = Field(max_length=200)
    product: str = Field(max_length=200)
    grade: str = Field(max_length=64)
    thickness_um: int = Field(gt=0)
    width_um: int = Field(gt=0)
    mass_g: int = Field(gt=0)
    route: str = Field("", max_length=64)
    due: str = Field("", max_length=32)
