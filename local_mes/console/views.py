"""Landing pages of the console: each role's question answered on its first screen."""

from __future__ import annotations

from flask import Blueprint, redirect, url_for
from werkzeug.wrappers import Response

from local_mes.console import desks, floor
from shared.web.context import person
from shared.web.features import Feature, MenuItem

bp = Blueprint("console", __name__, template_folder="templates")

FIRST_PAGES = (
    ("operator", "console.floor"),
    ("yard", "console.yard"),
    ("quality", "console.quality"),
    ("lead", "console.shift"),
    ("engineer", "console.engineer"),
)


@bp.get("/")
def home() -> Response:
    """The first page of the person's role."""
    roles = person().roles
    return redirect(url_for(next((page for role, page in FIRST_PAGES if role in roles), "console.shift")))


bp.get("/floor")(floor.floor)
bp.get("/yard")(desks.yard)
bp.get("/quality-desk")(desks.quality)
bp.get("/shift")(desks.shift)
bp.post("/shift")(desks.hand_over)
bp.get("/engineer")(desks.engineer)

FEATURE = Feature(
    pages=(bp,),
    menu=(
        MenuItem("Now", "My unit", "console.floor"),
        MenuItem("Now", "Yard and gate", "console.yard"),
        MenuItem("Now", "Quality desk", "console.quality"),
        MenuItem("Now", "Shift", "console.shift"),
        MenuItem("Now", "Plant", "console.engineer"),
    ),
)
