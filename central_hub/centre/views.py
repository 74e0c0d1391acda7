"""The page of what the hub decides for plants: who owns what, pieces that wait for a decision, orders, and the answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from flask import Blueprint, flash, redirect, render_template, request, url_for
from sqlalchemy import Connection, Row
from werkzeug.wrappers import Response as BaseResponse

from central_hub.centre import service
from central_hub.centre.api import api
from central_hub.context import hub
from shared.centre.facts import DISPOSITION, ORDER_RELEASE, TITLES, DispositionSentDown, OrdersSentDown, SentOrder
from shared.material.queries import rows_of
from shared.quality.domain import DISPOSITIONS
from shared.quality.queries import find_hold, list_holds
from shared.web import forms
from shared.web.context import actor, reading, requires
from shared.web.features import Feature, MenuItem
from shared.web.pieces.graph import first_rows

bp = Blueprint("centre", __name__, url_prefix="/centre", template_folder="templates")
WAITING_SHOWN = 50
SENT_SHOWN = 30


@bp.get("/")
def overview() -> str:
    """All of it."""
    with reading() as conn:
        owners = service.owner_table(conn)
        waiting, older = _waiting(conn, [code for code, owned in owners if owned[DISPOSITION] == service.HUB])
        sent = _sent(conn)
    return render_template(
        "centre/overview.html",
        owners=owners,
        titles=TITLES,
        waiting=waiting,
        older=older,
        sent=sent,
        sellers=[(code, code) for code, owned in owners if owned[ORDER_RELEASE] == service.HUB],
        dispositions=[(name, name) for name in DISPOSITIONS],
        chosen=request.args.get("hold", ""),
    )


@bp.post("/orders")
@requires("planner")
@forms.keeps_input(overview)
def send_order() -> BaseResponse:
    """Release one order item at a plant."""
    item = SentOrder(
        item=forms.read_text("item", "Order item", most=64),
        customer=forms.read_text("customer", "Customer", most=200),
        product=forms.read_text("product", "Product", most=200),
        grade=forms.read_text("grade", "Grade", most=64),
        thickness_um=forms.read_number("thickness", "Thickness", least=0, most=500, unit="mm", scale=1000),
        width_um=forms.read_number("width", "Width", least=1, most=5000, unit="mm", scale=1000),
        mass_g=forms.read_number("mass", "Mass", least=0, most=100_000, unit="t", scale=1_000_000),
        route=forms.read_text("route", "Route", most=64, needed=False),
        due=forms.read_text("due", "Due", most=32, needed=False),
    )
    plant = forms.read_text("plant", "Plant", most=12)
    service.release_orders(hub(), plant, [item], actor(), forms.command_id())
    flash(f"{item.item} goes down to {plant}. Its answer stands below when it has come.")
    return redirect(url_for("centre.overview"))


@bp.post("/holds/<plant>/<hold_id>")
@requires("quality")
def decide(plant: str, hold_id: str) -> BaseResponse:
    """Decide on a held piece of a plant."""
    decision = service.Decision(
        hold_id,
        forms.read_choice("disposition", "Decision", DISPOSITIONS),
        forms.read_text("order_item", "Order", most=64, needed=False),
        forms.read_text("note", "Note", needed=False),
    )
    service.decide(hub(), plant, decision, actor(), forms.command_id())
    flash(f"The decision goes down to {plant}. Until it has come the piece stays held.")
    return redirect(url_for("centre.overview"))


def _waiting(conn: Connection, plants: list[str]) -> tuple[list[tuple[Row[Any], str]], dict[str, str]]:
    """Open holds of these plants, each with the number of its piece; plant -> last hold shown, where it has older ones.

    ?plant=&after= goes on with the older ones of a plant.
    """
    asked, after = request.args.get("plant", ""), request.args.get("after", "")
    found: list[Row[Any]] = []
    older = {}
    for code in [asked] if asked in plants else plants:
        rows = list_holds(conn, code, "open", after=after if code == asked else "", limit=WAITING_SHOWN)
        found += rows[:WAITING_SHOWN]
        if len(rows) > WAITING_SHOWN:
            older[code] = rows[WAITING_SHOWN - 1].hold_id
    numbers = _numbers(conn, found)
    return [(row, numbers.get(row.material_id, row.material_id[:8])) for row in found], older


def _numbers(conn: Connection, holds: list[Row[Any]]) -> Mapping[str, str]:
    rows = rows_of(conn, [row.material_id for row in holds])
    return {material_id: row.number for material_id, row in first_rows(rows).items()}


def _sent(conn: Connection) -> list[tuple[Row[Any], str]]:
    """What was sent, each with one line of what it says."""
    rows = service.list_sent(conn, limit=SENT_SHOWN)[:SENT_SHOWN]
    decided = [msgspec.json.decode(row.body, type=DispositionSentDown) for row in rows if row.domain != ORDER_RELEASE]
    holds = {one.hold_id: hold for one in decided if (hold := find_hold(conn, one.hold_id)) is not None}
    numbers = _numbers(conn, list(holds.values()))
    pieces = {hold_id: numbers.get(hold.material_id, "") for hold_id, hold in holds.items()}
    return [(row, _what(row, pieces)) for row in rows]


def _what(row: Row[Any], pieces: Mapping[str, str]) -> str:
    if row.domain == ORDER_RELEASE:
        sent = msgspec.json.decode(row.body, type=OrdersSentDown)
        return "Orders " + ", ".join(item.item for item in sent.items[:5]) + (" …" if len(sent.items) > 5 else "")
    decided = msgspec.json.decode(row.body, type=DispositionSentDown)
    return f"{pieces.get(decided.hold_id) or decided.hold_id[:8]}: {decided.disposition}"


FEATURE = Feature(pages=(bp,), apis=(api,), menu=(MenuItem("Production", "Centre decides", "centre.overview"),))
