"""Commands of the yard as JSON; the reads are shared/material/api.py."""

from __future__ import annotations

from typing import Any

from flask_openapi import Tag
from pydantic import BaseModel, Field

from local_mes.context import plant
from local_mes.stock import service
from local_mes.stock.domain import StockRow
from shared.web.api_blueprint import APIBlueprint
from shared.web.body import Body, Moment
from shared.web.context import actor, requires

tag = Tag(name="stock", description="Places, weighings, scrap, take-over")
bp = APIBlueprint("stock_api", __name__, url_prefix="/api/v1", abp_tags=[tag], abp_security=[{"bearer": []}])
YARD = ("yard", "operator", "lead", "quality")
ROWS_MAX = 1_000
"""Rows of one take-over: the list is taken in whole or not at all, in one transaction."""


class CommandBody(Body):
    """What every command carries: an id that makes a repetition harmless, and when it happened (default: now)."""

    command_id: str = Field(min_length=1, max_length=64)
    occurred_at: Moment | None = None

    def command(self) -> service.Command:
        """As the service takes it."""
        return service.Command(self.command_id, actor(), self.occurred_at)


class NumberPath(BaseModel):
    """A piece by any number printed on it."""

    number: str = Field(max_length=64)


class MoveBody(CommandBody):
    """Where it is now."""

    place: str = Field(min_length=1, max_length=64)


class WeighBody(CommandBody):
    """What the scale says."""

    mass_g: int
    scale: str = Field("", max_length=64)


class ScrapBody(CommandBody):
    """Why it becomes scrap."""

    reason: str = Field(min_length=1, max_length=500)


class RowBody(Body):
    """One piece of the stock; g, um, chemistry in 1e-6 mass fraction."""

    number: str = Field(max_length=64)
    kind: str = Field(max_length=16)
    place: str = Field(max_length=64)
    grade: str = Field("", max_length=64)
    mass_g: int
    mass_basis: str = Field("weighed", max_length=16)
    thickness_um: int = 0
    width_um: int = 0
    length_um: int = 0
    order_item: str = Field("", max_length=64)
    heat: str = Field("", max_length=64)
    supplier: str | None = Field("", max_length=200)
    chemistry: dict[str, int] = Field(default_factory=dict, max_length=40)


class ImportBody(CommandBody):
    """A take-over, row by row."""

    rows: list[RowBody] = Field(min_length=1, max_length=ROWS_MAX)


@bp.post("/pieces/<number>/move")
@requires(*YARD)
def post_move(path: NumberPath, body: MoveBody) -> dict[str, Any]:
    """A piece is somewhere else now."""
    return service.move(plant(), body.command(), path.number, body.place)


@bp.post("/pieces/<number>/weigh")
@requires(*YARD)
def post_weigh(path: NumberPath, body: WeighBody) -> dict[str, Any]:
    """A piece was weighed."""
    return service.weigh(plant(), body.command(), path.number, body.mass_g, body.scale)


@bp.post("/pieces/<number>/scrap")
@requires(*YARD)
def post_scrap(path: NumberPath, body: ScrapBody) -> dict[str, Any]:
    """A piece ends as scrap."""
    return service.scrap(plant(), body.command(), path.number, body.reason)


@bp.post("/stock/import")
@requires("planner", "lead", "engineer")
def post_import(body: ImportBody) -> tuple[dict[str, Any], int]:
    """Take over a stock: all rows or none."""
    rows = [StockRow(**row.model_dump(exclude={"supplier"}), supplier=row.supplier or "") for row in body.rows]
    return service.take_over(plant(), body.command(), rows), 201
