"""The booking page: good, scrap and reason in one action, for a unit whose Level 2 is silent."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from local_mes.context import plant
from local_mes.model.domain import Unit
from local_mes.production.api import bp as api
from local_mes.production.manual import STEPS, Booking, book
from shared.material.queries import find_piece
from shared.orders.queries import find_next_line
from shared.web.context import actor, reading, requires
from shared.web.features import Feature, MenuItem
from shared.web.forms import command_id, find_number, keeps_input, read_choice, read_number, read_text

bp = Blueprint("production", __name__, url_prefix="/production", template_folder="templates")
REASONS = (
    ("surface", "Surface defect"),
    ("shape", "Shape"),
    ("width", "Width or thickness"),
    ("cobble", "Cobble"),
    ("ends", "Ends and samples"),
    ("handling", "Handling damage"),
    ("other", "Other"),
)
KG_MAX = 50_000


@bp.get("/book")
def booking() -> str:
    """The form, filled in with the unit's next piece."""
    units = _units()
    wanted = request.values.get("unit", "")
    unit = next((u for u in units if u.code == wanted), units[0] if units else None)
    return render_template("production/book.html", units=units, unit=unit, reasons=REASONS, **_next(unit))


@bp.post("/book")
@requires("operator", "lead")
@keeps_input(booking)
def post_booking() -> Response:
    """Book it."""
    unit = read_choice("unit", "Unit", [u.code for u in _units()])
    scrap_g = find_number("scrap_kg", "Scrap", least=0, most=KG_MAX, unit="kg", scale=1000) or 0
    made = book(
        plant(),
        Booking(
            command_id=command_id(),
            actor=actor(),
            unit=unit,
            piece=read_text("piece", "Piece", most=64),
            good_mass_g=read_number("good_kg", "Good mass", least=0, most=KG_MAX, unit="kg", scale=1000),
            scrap_g=scrap_g,
            reason=read_text("reason", "Reason", needed=bool(scrap_g)),
        ),
    )
    flash(f"Booked at {unit}: {made['piece']} is now {made['number'] or 'scrap'}.", "done")
    return redirect(url_for("production.booking", unit=unit))


def _units() -> list[Unit]:
    return [unit for unit in plant().model.unit if unit.unit_class in STEPS]


def _next(unit: Unit | None) -> dict[str, Any]:
    """The next line of the unit's schedule and its piece, where they are known."""
    if unit is None:
        return {"line": None, "piece": None}
    with reading() as conn:
        line = find_next_line(conn, plant().code, unit.code)
        return {"line": line, "piece": find_piece(conn, line.piece, plant().code) if line else None}


FEATURE = Feature(
    pages=(bp,), apis=(api,), menu=(MenuItem("Production", "Book by hand", "production.booking", ("operator", "lead")),)
)
