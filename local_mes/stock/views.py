"""The yard's pages: what is here and where, and moving, weighing and scrapping one piece."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, url_for
from werkzeug.wrappers import Response as BaseResponse

from local_mes.context import plant
from local_mes.level2.devices.jobs import DEED_OF
from local_mes.stock import service
from local_mes.stock.api import YARD
from local_mes.stock.api import bp as api
from shared.material.queries import MaterialFilter, count_by_place, count_materials, get_piece, list_materials
from shared.quality.queries import held_ids, is_held
from shared.web.context import actor, node, reading, requires
from shared.web.features import Feature, MenuItem
from shared.web.forms import command_id, keeps_input, read_number, read_text
from shared.web.listing import Column, Filter, answer_list
from shared.web.paging import Page, Paging

bp = Blueprint("stock", __name__, url_prefix="/stock", template_folder="templates")
COLUMNS = (
    Column("number", "Number", show="code", link="pieces.piece"),
    Column("kind", "Kind"),
    Column("place", "Place", show="code"),
    Column("grade", "Grade", show="code"),
    Column("order_item", "Order item", show="code"),
    Column("mass_g", "Mass", unit="kg", show="kg"),
    Column("mass_basis", "Basis"),
    Column("thickness_um", "Thickness", unit="mm", show="mm"),
    Column("width_um", "Width", unit="mm", show="mm"),
    Column("length_um", "Length", unit="m", show="metres"),
    Column("heat_number", "Heat", show="code"),
    Column("state", "State", show="badge"),
)
STATES = (("live", "here"), ("consumed", "used up"), ("shipped", "left"), ("scrapped", "scrap"))
KINDS = (("heat", "heats"), ("slab", "slabs"), ("coil", "coils"), ("slit", "slits"))
_SIGNS = {"live": "normal", "consumed": "done", "shipped": "done", "scrapped": "attention", "identified": "done"}
KG_MAX = 400_000


@bp.get("/")
def pieces() -> str | Response:
    """What is here, where, for whom, and what is held."""
    filters = (
        Filter("q", "Number"),
        Filter("kind", "Kind", KINDS),
        Filter("place", "Place"),
        Filter("grade", "Grade"),
        Filter("order_item", "Order item"),
        Filter("state", "State", STATES),
    )
    with reading() as conn:
        count, mass_g = count_materials(conn, MaterialFilter(author=node().code, state="live"))
        places = count_by_place(conn, node().code)
    return answer_list("stock/pieces.html", COLUMNS, _read, filters=filters, count=count, mass_g=mass_g, places=places)


def _read(paging: Paging) -> Page[Any]:
    wanted = MaterialFilter(
        author=node().code,
        state=paging.wants("state") or "live",
        kind=paging.wants("kind"),
        place=paging.wants("place"),
        grade=paging.wants("grade"),
        order_item=paging.wants("order_item"),
        q=paging.wants("q"),
    )
    with reading() as conn:
        rows, cursor = list_materials(conn, wanted, paging.after, paging.limit)
        held = held_ids(conn, [row.material_id for row in rows])
    return Page([_row(row, row.material_id in held) for row in rows], cursor)


def _row(row: Any, held: bool) -> dict[str, Any]:
    shown = dict(row._mapping)
    if held and row.state == "live":
        return shown | {"state": "held", "state_state": "held"}
    return shown | {"state_state": _SIGNS.get(row.state, "normal")}


@bp.get("/<number>/handle")
def handle(number: str) -> str:
    """Move, weigh or scrap one piece: one task, large targets."""
    with reading() as conn:
        piece = get_piece(conn, number, node().code)
        held = is_held(conn, piece.material_id)
    model = plant().model
    return render_template(
        "stock/handle.html",
        piece=piece,
        held=held,
        places=sorted(service.places_of(model)),
        devices=[(link.code, DEED_OF[link.kind]) for link in model.link if link.kind in DEED_OF],
    )


@bp.post("/<number>/move")
@requires(*YARD)
@keeps_input(handle)
def move(number: str) -> BaseResponse:
    """Book a new place."""
    place = read_text("place", "Place", most=64)
    service.move(plant(), _command(), number, place)
    return _back(number, f"{number} is at {place}.")


@bp.post("/<number>/weigh")
@requires(*YARD)
@keeps_input(handle)
def weigh(number: str) -> BaseResponse:
    """Book a weighing."""
    mass_g = read_number("mass_kg", "Mass", least=1, most=KG_MAX, unit="kg", scale=1000)
    service.weigh(plant(), _command(), number, mass_g, read_text("scale", "Scale", most=64, needed=False))
    return _back(number, f"The mass of {number} is booked; the one before stays in its history.")


@bp.post("/<number>/scrap")
@requires(*YARD)
@keeps_input(handle)
def scrap(number: str) -> BaseResponse:
    """End a piece as scrap."""
    service.scrap(plant(), _command(), number, read_text("reason", "Reason"))
    return _back(number, f"{number} is scrap.")


def _command() -> service.Command:
    return service.Command(command_id(), actor())


def _back(number: str, text: str) -> BaseResponse:
    flash(text, "done")
    return redirect(url_for("stock.handle", number=number))


DEEDS = (MenuItem("Material", "Handle", "stock.handle", YARD),)
"""What is offered on the page of a piece."""
FEATURE = Feature(pages=(bp,), apis=(api,), menu=(MenuItem("Material", "Stock", "stock.pieces"),))
