"""The page of a day's mass balance: what went in and out by class, what is open, and closing the day."""

from __future__ import annotations

import re

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from local_mes.context import plant
from local_mes.performance import closing
from local_mes.performance.closing_api import MAY
from local_mes.performance.closing_api import bp as api
from local_mes.performance.service import production_day
from shared.material.queries import numbers_of
from shared.performance.balance_queries import products_of
from shared.performance.queries import production_days
from shared.web.accounts import names_of
from shared.web.context import actor, node, reading, requires
from shared.web.features import Feature, MenuItem
from shared.web.forms import command_id, keeps_input, read_text

bp = Blueprint("balance", __name__, url_prefix="/figures/balance", template_folder="templates")
SIGNS = {
    "running": ("normal", "The day still runs"),
    "open": ("attention", "Over, not closed"),
    "closed": ("done", "Closed: inside the tolerance of every class"),
    "signed": ("done", "Closed by signature"),
    "reopened": ("attention", "Changed since it was closed"),
}


@bp.get("/")
def day() -> str:
    """One production day."""
    with reading() as conn:
        today = production_day(plant())
        known = list(dict.fromkeys([today, *production_days(conn, node().code)]))
        wanted = request.values.get("day", "")
        if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", wanted):
            # the last day that is over is the one to close; a plant's first day has none before it
            wanted = next((d for d in known if d < today), today)
        found = closing.read_day(conn, plant(), wanted)
        products = products_of(conn, node().code, [row.operation_id for row in found.open])
        numbers = numbers_of(conn, [piece for pieces in products.values() for piece in pieces])
        people = names_of(conn, {row.actor for row in found.closes})
    return render_template(
        "performance/balance.html",
        found=found,
        days=known,
        products={op: [numbers.get(p, [p])[-1] for p in pieces] for op, pieces in products.items()},
        people=people,
        sign=SIGNS[found.state],
        may=MAY,
    )


@bp.post("/close")
@requires("lead")
@keeps_input(day)
def post_close() -> BaseResponse:
    """Close the day."""
    wanted = read_text("day", "Day", most=10)
    said = closing.close_day(
        plant(), wanted, read_text("reason", "Reason", needed=False), actor=actor(), command_id=command_id()
    )
    flash(f"{wanted} is closed{' by your signature' if said['state'] == 'signed' else ''}.", "done")
    return redirect(url_for("balance.day", day=wanted))


@bp.post("/explain")
@requires(*MAY)
@keeps_input(day)
def post_explain() -> BaseResponse:
    """Explain an imbalance."""
    closing.settle_imbalance(
        plant(),
        read_text("operation_id", "Operation", most=32),
        read_text("reason", "Explanation"),
        actor=actor(),
        command_id=command_id(),
    )
    flash("Explained. It is open again if its figures change.", "done")
    return redirect(url_for("balance.day", day=read_text("day", "Day", most=10)))


FEATURE = Feature(pages=(bp,), apis=(api,), menu=(MenuItem("Figures", "Mass balance", "balance.day"),))
