"""Stock-takes and counted goods as JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Literal

from flask_openapi import Tag
from pydantic import Field

from local_mes.context import plant
from local_mes.stock import goods, takes
from local_mes.stock.api import CommandBody
from shared.stock.facts import GoodsDescribed
from shared.stock.queries import bookings_of, closed_takes, differences_of, list_goods, open_takes, quantities
from shared.web.api_blueprint import APIBlueprint
from shared.web.body import Asked, Body
from shared.web.context import reading, requires

tag = Tag(name="counts", description="Stock-takes; goods that are no steel pieces")
bp = APIBlueprint("count_api", __name__, url_prefix="/api/v1", abp_tags=[tag], abp_security=[{"bearer": []}])
COUNTERS = ("yard", "lead", "engineer")
SHOWN = 50


class TakePath(Asked):
    """A stock-take by its id."""

    take_id: str = Field(max_length=32)


class ItemPath(Asked):
    """Goods by their item."""

    item: str = Field(max_length=64)


class OpenBody(CommandBody):
    """What is counted: a storage, unit or area."""

    area: str = Field(min_length=1, max_length=16)


class TakeLineBody(Body):
    """A number that was seen, and where; no place: somewhere in the area."""

    number: str = Field(min_length=1, max_length=64)
    place: str = Field("", max_length=64)


class CountBody(CommandBody):
    """What was seen."""

    lines: list[TakeLineBody] = Field(min_length=1, max_length=takes.LINES_MAX)


class TakeCloseBody(CommandBody):
    """differences: how many were looked at. reason for all that have none of their own (number -> reason); drop: post none."""

    differences: int = Field(0, ge=0)
    reason: str = Field("", max_length=500)
    reasons: dict[str, str] = Field(default_factory=dict, max_length=takes.LINES_MAX)
    drop: bool = False


class GoodsBody(CommandBody):
    """Goods the plant keeps."""

    item: str = Field(min_length=1, max_length=64)
    name: str = Field(min_length=1, max_length=200)
    kind: Literal["alloy", "roll", "packaging", "other"]
    unit: Literal["g", "pieces"]
    least: int = Field(0, ge=0, le=goods.QUANTITY_MAX)


class BookBody(CommandBody):
    """A receipt, an issue, or a count of what lies there; grams or pieces."""

    kind: Literal["receipt", "issue", "take"]
    place: str = Field(min_length=1, max_length=64)
    quantity: int = Field(ge=0, le=goods.QUANTITY_MAX)
    reference: str = Field("", max_length=200)
    reason: str = Field("", max_length=500)


@bp.get("/stock-takes", summary="Counts that go on, and the last ones that are over")
def get_takes() -> dict[str, Any]:
    """The open ones first."""
    here = plant()
    with reading() as conn:
        rows = [*open_takes(conn, here.code), *closed_takes(conn, here.code, SHOWN)]
    return {"items": [dict(row._mapping) for row in rows], "next": None, "as_of": here.clock.now_ms()}


@bp.post("/stock-takes", summary="Begin to count an area")
@requires(*COUNTERS)
def post_take(body: OpenBody) -> tuple[dict[str, Any], int]:
    """One count of an area at a time."""
    return takes.open_take(plant(), body.command(), body.area), 201


@bp.get("/stock-takes/<take_id>", summary="A count: what is expected and was counted, and the differences")
def get_take(path: TakePath) -> dict[str, Any]:
    """An open one with the differences as they are now, a closed one with those that were posted."""
    here = plant()
    with reading() as conn:
        state = takes.read_take(conn, here, path.take_id)
        posted = differences_of(conn, here.code, path.take_id)
    return {
        **state.take._mapping,
        "to_count": [{"number": one.number, "place": one.place} for one in state.expected],
        "lines": [asdict(line) for line in state.counted],
        "differences": [_difference(one) for one in state.differences] or [dict(row._mapping) for row in posted],
        "as_of": here.clock.now_ms(),
    }


@bp.post("/stock-takes/<take_id>/counts", summary="Numbers that were seen; the same number again replaces its line")
@requires(*COUNTERS)
def post_counts(path: TakePath, body: CountBody) -> dict[str, Any]:
    """By hand, by scanner, from a file."""
    lines = [(line.number.strip(), line.place.strip()) for line in body.lines]
    return takes.count(plant(), body.command(), path.take_id, lines)


@bp.post("/stock-takes/<take_id>/close", summary="Post the differences with reasons, or drop the count")
@requires("lead", "engineer")
def post_close(path: TakePath, body: TakeCloseBody) -> dict[str, Any]:
    """Refused when there are others by now than were looked at."""
    if body.drop:
        return takes.drop_take(plant(), body.command(), path.take_id, body.reason)
    return takes.close_take(plant(), body.command(), path.take_id, body.reason, body.reasons, body.differences)


@bp.get("/goods", summary="Counted goods with their quantities by place")
def get_goods() -> dict[str, Any]:
    """Quantities in the item's unit: grams, or pieces."""
    here = plant()
    with reading() as conn:
        rows = list_goods(conn, here.code)
        lying = quantities(conn, here.code, [row.item for row in rows])
    items = [dict(row._mapping) | {"places": lying[row.item], "total": sum(lying[row.item].values())} for row in rows]
    return {"items": items, "next": None, "as_of": here.clock.now_ms()}


@bp.post("/goods", summary="Describe goods")
@requires(*COUNTERS)
def post_goods(body: GoodsBody) -> tuple[dict[str, Any], int]:
    """The same item again is described anew."""
    said = GoodsDescribed(item=body.item, name=body.name, kind=body.kind, unit=body.unit, least=body.least)
    return goods.describe(plant(), body.command(), said), 201


@bp.get("/goods/<item>/bookings", summary="The last bookings of an item")
def get_bookings(path: ItemPath) -> dict[str, Any]:
    """Youngest first."""
    here = plant()
    with reading() as conn:
        goods.get_goods(conn, here, path.item)
        rows = bookings_of(conn, here.code, path.item, SHOWN)
    return {"items": [dict(row._mapping) for row in rows], "next": None, "as_of": here.clock.now_ms()}


@bp.post("/goods/<item>/book", summary="A receipt, an issue, or a count")
@requires(*COUNTERS, "operator")
def post_booking(path: ItemPath, body: BookBody) -> dict[str, Any]:
    """No more is issued than there is; a count that differs takes a reason."""
    booking = goods.Booking(path.item, body.place, body.kind, body.quantity, body.reference, body.reason)
    return goods.book(plant(), body.command(), booking)


def _difference(one: Any) -> dict[str, Any]:
    names = ("kind", "number", "expected_place", "found_place")
    state = one.piece.state if one.piece else "unknown"
    return {name: getattr(one, name) for name in names} | {"state": state}
