"""The mass balance of a day as JSON: read, explain, close. Masses in g, shares in ppm."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from flask_openapi import Tag
from pydantic import BaseModel, Field

from local_mes.context import plant
from local_mes.performance import closing
from local_mes.performance.closing import DayBalance
from local_mes.performance.service import production_day
from shared.performance.balance_queries import products_of
from shared.web.api_blueprint import APIBlueprint
from shared.web.asof import as_of
from shared.web.body import Body
from shared.web.context import actor, reading, requires

tag = Tag(name="balance", description="Mass balance of operations and of production days")
bp = APIBlueprint("balance_api", __name__, url_prefix="/api/v1", abp_tags=[tag], abp_security=[{"bearer": []}])
MAY = ("lead", "engineer", "quality")
DAY = r"^(\d{4}-\d{2}-\d{2})?$"


class DayQuery(BaseModel):
    """Which production day; without one, today's."""

    day: str = Field("", max_length=10, pattern=DAY)


class DayPath(BaseModel):
    """A production day."""

    day: str = Field(max_length=10)


class CloseBody(Body):
    """Reason: needed where unexplained mass is outside a tolerance or an imbalance is open; it is a signature then."""

    command_id: str = Field(min_length=1, max_length=64)
    reason: str = Field("", max_length=2_000)


class OperationPath(BaseModel):
    """An operation."""

    operation_id: str = Field(max_length=32)


class ExplainBody(Body):
    """Where the mass went."""

    command_id: str = Field(min_length=1, max_length=64)
    reason: str = Field(min_length=1, max_length=2_000)


@bp.get("/mass-balance", summary="One production day's mass balance, yields and open imbalances")
def mass_balance(query: DayQuery) -> dict[str, Any]:
    """By class of operation, in the order of the route; `state` says whether the day is closed, `moved` what changed since."""
    with reading() as conn:
        found = closing.read_day(conn, plant(), query.day or production_day(plant()))
        products = products_of(conn, plant().code, [row.operation_id for row in found.open])
    return as_json(found, products) | as_of()


def as_json(found: DayBalance, products: dict[str, list[str]]) -> dict[str, Any]:
    """A day's balance as the API shows it."""
    return {
        "production_day": found.production_day,
        "state": found.state,
        "from_ms": found.from_ms,
        "to_ms": found.to_ms,
        "classes": [
            asdict(c)
            | {"unexplained_g": c.total.unexplained_g, "unexplained_ppm": c.unexplained_ppm, "closes": c.closes}
            for c in found.classes
        ],
        "open": [dict(row._mapping) | {"products": products.get(row.operation_id, [])} for row in found.open],
        "scrapped": {"pieces": found.scrapped[0], "mass_g": found.scrapped[1]},
        "closes": [dict(row._mapping) for row in found.closes],
        "moved": [
            asdict(m) | {"more_charged_g": m.more_charged_g, "more_produced_g": m.more_produced_g} for m in found.moved
        ],
    }


@bp.post("/days/<day>/close")
@requires("lead")
def post_close(path: DayPath, body: CloseBody) -> tuple[dict[str, Any], int]:
    """Close a production day."""
    return closing.close_day(plant(), path.day, body.reason, actor=actor(), command_id=body.command_id), 201


@bp.post("/imbalances/<operation_id>/explain")
@requires(*MAY)
def post_explain(path: OperationPath, body: ExplainBody) -> dict[str, Any]:
    """Explain an open imbalance."""
    return closing.settle_imbalance(plant(), path.operation_id, body.reason, actor=actor(), command_id=body.command_id)
