"""Orders and schedules as JSON."""

from __future__ import annotations

from typing import Any

import msgspec
from flask_openapi import Tag
from pydantic import BaseModel, Field

from local_mes.context import plant
from local_mes.orders import service
from shared.db.engine import read
from shared.errors import NotFound
from shared.orders.facts import OrderReleased
from shared.orders.order_body import OrderBody
from shared.orders.queries import find_lines, find_order, find_orders
from shared.web.api_blueprint import APIBlueprint
from shared.web.body import Body, Moment
from shared.web.context import actor, node, reading, requires
from shared.web.paging import PageQuery

tag = Tag(name="orders", description="Order items and schedules")
bp = APIBlueprint("orders_api", __name__, url_prefix="/api/v1", abp_tags=[tag], abp_security=[{"bearer": []}])


class Command(Body):
    """What every command carries: an id that makes a repetition harmless, and when it happened (default: now)."""

    command_id: str = Field(min_length=1, max_length=64)
    occurred_at: Moment | None = None


class OrdersBody(Command):
    """Order items to release."""

    items: list[OrderBody] = Field(min_length=1, max_length=1000)


class LineBody(Body):
    """One schedule line; `piece` is a heat number or any number of a piece."""

    position: int = Field(ge=0)
    piece: str = Field(min_length=1, max_length=64)
    order_item: str = Field("", max_length=64)
    number: str = Field("", max_length=64)
    aims: dict[str, int | str] = Field(default_factory=dict)


class ScheduleBody(Command):
    """Lines to append to a unit's schedule."""

    unit: str = Field(min_length=1, max_length=64)
    lines: list[LineBody] = Field(min_length=1, max_length=500)


class SignOffBody(Body):
    """Quality's word for an order item as it was shown (released_at_ms); note: on what ground."""

    command_id: str = Field(min_length=1, max_length=64)
    item: str = Field(min_length=1, max_length=64)
    released_at_ms: Moment
    note: str = Field(min_length=3, max_length=500)


class DropBody(Command):
    """Why a line is taken off."""

    reason: str = Field(min_length=1, max_length=500)


class OrdersQuery(PageQuery):
    """Narrows the order list."""

    q: str = Field("", max_length=64, description="part of item or customer")
    author: str = Field("", max_length=64)


class ScheduleQuery(PageQuery):
    """Narrows the schedule."""

    unit: str = Field("", max_length=64)
    state: str = Field("", pattern="^(|open|done|dropped)$")


class ItemPath(BaseModel):
    """An order item's number; it holds a slash, as in 710045/10."""

    item: str


class LinePath(BaseModel):
    """A schedule line."""

    line_id: str


@bp.post("/orders")
@requires("planner", "lead", "engineer")
def post_orders(body: OrdersBody) -> tuple[dict[str, Any], int]:
    """Release order items."""
    items = [OrderReleased(**item.model_dump()) for item in body.items]
    return service.release_orders(
        plant(), items, actor=actor(), command_id=body.command_id, at_ms=body.occurred_at
    ), 201


@bp.get("/orders")
def get_orders(query: OrdersQuery) -> dict[str, Any]:
    """Order items by number."""
    with reading() as conn:
        rows = find_orders(conn, query.author, query.after, query.limit, query.q)
    shown = rows[: query.limit]
    return {
        "items": [{**vars(row)} for row in shown],
        "next": shown[-1].item if len(rows) > query.limit else None,
        "as_of": node().clock.now_ms(),
    }


@bp.get("/orders/<path:item>")
def get_order(path: ItemPath) -> dict[str, Any]:
    """One order item as this plant knows it."""
    with reading() as conn:
        found = find_order(conn, node().code, path.item)
    if found is None:
        raise NotFound("orders.unknown", f"Order item {path.item!r} is not released here.", todo="Check the number.")
    return {**vars(found)}


@bp.get("/order-sign-offs")
def get_sign_offs() -> dict[str, Any]:
    """Order items of critical grades that wait for quality's word while the standards are long stale."""
    with reading() as conn:
        waiting = service.list_waiting(conn, plant())
    return {"items": [vars(order) for order in waiting], "next": None, "as_of": node().clock.now_ms()}


@bp.post("/order-sign-offs")
@requires("quality")
def post_sign_off(body: SignOffBody) -> tuple[dict[str, Any], int]:
    """Say that an item may be made by the standards as they are here."""
    service.sign_off(plant(), body.item, body.released_at_ms, body.note, actor=actor(), command_id=body.command_id)
    return {"item": body.item}, 201


@bp.post("/schedules")
@requires("planner", "lead", "engineer")
def post_schedule(body: ScheduleBody) -> tuple[dict[str, Any], int]:
    """Append lines to a unit's schedule."""
    lines = [service.NewLine(**line.model_dump()) for line in body.lines]
    return service.release_schedule(
        plant(), body.unit, lines, actor=actor(), command_id=body.command_id, at_ms=body.occurred_at
    ), 201


@bp.get("/schedules")
def get_schedule(query: ScheduleQuery) -> dict[str, Any]:
    """Schedule lines in running order."""
    with read(node().engine) as conn:
        rows = find_lines(conn, node().code, query.unit, query.state, query.after, query.limit)
    shown = rows[: query.limit]
    return {
        "items": [msgspec.to_builtins(vars(row)) for row in shown],
        "next": shown[-1].line_id if len(rows) > query.limit else None,
        "as_of": node().clock.now_ms(),
    }


@bp.post("/schedules/lines/<line_id>/drop")
@requires("planner", "lead", "engineer")
def drop_schedule_line(path: LinePath, body: DropBody) -> dict[str, Any]:
    """Take an open line off the schedule."""
    return service.drop_line(
        plant(), path.line_id, body.reason, actor=actor(), command_id=body.command_id, at_ms=body.occurred_at
    )
