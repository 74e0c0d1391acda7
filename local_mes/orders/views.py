"""Pages of orders: the order list with what serves each item, and the sequence of each unit."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from local_mes.context import plant
from local_mes.orders import service
from local_mes.orders.api import bp as api
from shared.material.queries import MaterialFilter, count_materials
from shared.orders.queries import find_lines, find_orders
from shared.web.body import MOMENT_MAX_MS
from shared.web.context import actor, node, reading, requires
from shared.web.features import Feature, MenuItem
from shared.web.forms import command_id, keeps_input, read_number, read_text
from shared.web.listing import Column, Filter, answer_list
from shared.web.paging import Page, Paging, cut

bp = Blueprint("orders", __name__, url_prefix="/orders", template_folder="templates")
PLANNERS = ("planner", "lead", "engineer")

ORDER_COLUMNS = (
    Column("item", "Order item", show="code"),
    Column("customer", "Customer"),
    Column("product", "Product"),
    Column("grade", "Grade", show="code"),
    Column("thickness_um", "Thickness", unit="mm", show="mm"),
    Column("width_um", "Width", unit="mm", show="mm"),
    Column("mass_g", "Ordered", unit="t", show="tonnes"),
    Column("pieces", "Pieces here", show="whole"),
    Column("here_g", "Mass here", unit="t", show="tonnes"),
    Column("route", "Route", show="code"),
    Column("due", "Due"),
)
LINE_COLUMNS = (
    Column("unit", "Unit", show="code"),
    Column("position", "Position", show="whole"),
    Column("piece", "Piece or heat", show="code", link="pieces.piece", link_key="piece"),
    Column("number", "Planned number", show="code"),
    Column("order_item", "Order item", show="code"),
    Column("aims", "Aims"),
    Column("state", "State", show="badge"),
    Column("reason", "Reason"),
)
_SIGNS = {"open": "normal", "done": "done", "dropped": "attention"}


@bp.get("/")
def order_list() -> str | Response:
    """What is ordered, and what lies here for it."""
    filters = (Filter("q", "Item or customer"),)
    with reading() as conn:
        waiting = len(service.list_waiting(conn, plant()))
    return answer_list("orders/orders.html", ORDER_COLUMNS, _read_orders, filters=filters, waiting=waiting)


def _read_orders(paging: Paging) -> Page[Any]:
    code = node().code
    with reading() as conn:
        found = find_orders(conn, code, paging.after, paging.limit, paging.wants("q"))
        rows = []
        for order in found:
            pieces, mass_g = count_materials(conn, MaterialFilter(author=code, state="live", order_item=order.item))
            rows.append({**vars(order), "pieces": pieces, "here_g": mass_g})
    return cut(rows, paging, "item")


@bp.get("/sequence")
def sequence() -> str | Response:
    """What comes next at each unit, in running order."""
    units = tuple((unit.code, f"{unit.code} {unit.name}".strip()) for unit in plant().model.unit)
    filters = (
        Filter("unit", "Unit", units),
        Filter("state", "State", (("open", "open"), ("done", "done"), ("dropped", "dropped"))),
    )
    return answer_list("orders/sequence.html", LINE_COLUMNS, _read_lines, filters=filters)


def _read_lines(paging: Paging) -> Page[Any]:
    with reading() as conn:
        found = find_lines(
            conn, node().code, paging.wants("unit"), paging.wants("state") or "open", paging.after, paging.limit
        )
    rows = [{**vars(line), "aims": _aims(line.aims), "state_state": _SIGNS[line.state]} for line in found]
    return cut(rows, paging, "line_id")


def _aims(aims: Any) -> str:
    return ", ".join(f"{name} {value}" for name, value in sorted(aims.items()))


@bp.get("/for-quality")
def sign_offs() -> str:
    """New orders of critical grades that wait for quality's word while the standards are long stale."""
    with reading() as conn:
        waiting = service.list_waiting(conn, plant())
    return render_template("orders/sign_offs.html", waiting=waiting)


@bp.post("/for-quality")
@requires("quality")
@keeps_input(sign_offs)
def sign() -> BaseResponse:
    """Sign an order off."""
    item, note = read_text("item", "Order item"), read_text("note", "Ground")
    released_at_ms = read_number("released_at_ms", "Time of release", least=0, most=MOMENT_MAX_MS, unit="ms")
    service.sign_off(plant(), item, released_at_ms, note, actor=actor(), command_id=command_id())
    flash("Signed off: lines may be planned for it.", "done")
    return redirect(url_for("orders.sign_offs"))


@bp.post("/sequence/drop")
@requires(*PLANNERS)
@keeps_input(sequence)
def drop() -> BaseResponse:
    """Take a line off the schedule."""
    line_id, reason = read_text("line_id", "Line"), read_text("reason", "Reason")
    service.drop_line(plant(), line_id, reason, actor=actor(), command_id=command_id())
    flash("The line was taken off the schedule.", "done")
    return redirect(url_for("orders.sequence", unit=request.args.get("unit")))


FEATURE = Feature(
    pages=(bp,),
    apis=(api,),
    menu=(
        MenuItem("Production", "Sequence", "orders.sequence"),
        MenuItem("Production", "Orders", "orders.order_list"),
    ),
)
