"""Pages of the route in work: the next step of a piece, how far an order item is, what a unit may work next."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from flask import Blueprint, render_template, request, url_for
from markupsafe import Markup
from sqlalchemy import Connection, Row

from local_mes.context import plant
from local_mes.execution.api import api
from local_mes.execution.lists import order_pieces, work_list
from local_mes.execution.next_step import Next, aims_of, checks_at, find_next
from local_mes.execution.serving import choices
from local_mes.execution.standing import Standing
from local_mes.execution.words import shown
from shared.errors import NotFound
from shared.material.queries import get_piece
from shared.orders.queries import find_order
from shared.quality.queries import list_decisions
from shared.standards.documents import Routing
from shared.web.context import node, reading
from shared.web.features import Feature, MenuItem

bp = Blueprint("execution", __name__, url_prefix="/work", template_folder="templates")
DECISIONS_MAX = 50
SERVES_SHOWN = 20


@bp.get("/piece/<number>")
def piece(number: str) -> str:
    """What was done with a piece, what comes, where it may go, aims, data, checks."""
    with reading() as conn:
        row = get_piece(conn, number, node().code)
        standing = Standing(conn, plant())
        found = find_next(conn, plant(), row)
        aims, unsure = aims_of(standing, found)
        checks = checks_at(standing, found.step) if found.step else []
        decided = list_decisions(conn, node().code, ids=[row.material_id], limit=DECISIONS_MAX)
        serves = choices(conn, node().code, row)[:SERVES_SHOWN] if row.state == "live" else []
    last = {d.rule_id: d for d in reversed(decided)}
    return render_template(
        "execution/piece.html",
        next=found,
        row=row,
        aims=[shown(aim) for aim in aims],
        unsure=unsure,
        checks=checks,
        last=last,
        serves=serves,
    )


@bp.get("/order/<path:item>")
def order(item: str) -> str:
    """The route of an order item with what lies at each step."""
    with reading() as conn:
        ordered = find_order(conn, node().code, item)
        if ordered is None:
            raise NotFound("orders.unknown", f"Order item {item!r} is not released here.", todo="Check the number.")
        found, more = order_pieces(conn, plant(), item)
        routing = Standing(conn, plant()).in_force.get(ordered.route)
    steps: dict[int, list[Next]] = defaultdict(list)
    for one in found:
        steps[one.step.number if one.step else 0].append(one)
    return render_template(
        "execution/order.html", order=ordered, routing=routing, found=found, at_step=steps, more=more
    )


@bp.get("/unit")
def unit() -> str:
    """What may be worked at a unit next."""
    classes = _classes_of_routes()
    units = [u for u in plant().model.unit if u.unit_class in classes]
    wanted = request.args.get("unit", "")
    chosen = next((u for u in units if u.code == wanted), units[0] if units else None)
    listed = None
    if chosen is not None:
        with reading() as conn:
            listed = work_list(conn, plant(), chosen)
    return render_template("execution/unit.html", units=units, chosen=chosen, listed=listed)


def _classes_of_routes() -> set[str]:
    """Classes that the routes in force name."""
    with reading() as conn:
        found = Standing(conn, plant()).in_force.values()
    routes = [document for _, document in found if isinstance(document, Routing)]
    return {name for route in routes for step in route.steps for name in step.all_classes}


def route_strip(conn: Connection, row: Row[Any]) -> Markup | None:
    """The strip of route steps on the piece page; None for a piece without a route here."""
    if row.author != node().code or row.state != "live":
        return None
    found = find_next(conn, plant(), row)
    if found.way is None:
        return None
    page = url_for("execution.piece", number=row.material_id)
    return Markup(render_template("execution/strip.html", next=found, stages=found.way.stages, page=page))


FEATURE = Feature(
    pages=(bp,),
    apis=(api,),
    menu=(MenuItem("Now", "Work next", "execution.unit"),),
)
