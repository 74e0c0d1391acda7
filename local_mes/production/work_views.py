"""The page of work by hand on one piece: cut, slit, crop, sample, weld, pack, take apart, return to the melt."""

from __future__ import annotations

import re

from flask import Blueprint, flash, redirect, render_template, url_for
from werkzeug.wrappers import Response as BaseResponse

from local_mes.context import plant
from local_mes.production import packing
from local_mes.production.handwork import HandWork, work
from local_mes.production.handwork_domain import LOSS_OF, Part
from local_mes.production.person import Command
from local_mes.production.work_api import MAY
from local_mes.production.work_api import bp as api
from shared.errors import BadInput
from shared.material.queries import get_piece
from shared.quality.queries import open_holds
from shared.web.context import actor, node, reading, requires
from shared.web.features import Feature, MenuItem
from shared.web.forms import command_id, find_number, keeps_input, read_choice, read_text

bp = Blueprint("work", __name__, url_prefix="/production/work", template_folder="templates")
KG_MAX = 400_000
_LINE = re.compile(
    r"\s*(?P<mm>[0-9][0-9., ]*)\s*(?:mm)?\s*(?:[;\t]\s*(?P<number>\S+)?\s*)?(?:[;\t]\s*(?P<kg>[0-9.,]+)\s*)?"
)


@bp.get("/<number>")
def piece(number: str) -> str:
    """What can be done with this piece by hand."""
    with reading() as conn:
        row = get_piece(conn, number, node().code)
        holds = open_holds(conn, row.material_id)
    return render_template("production/work.html", piece=row, holds=holds, units=[u.code for u in plant().model.unit])


@bp.post("/<number>/divide")
@requires(*MAY)
@keeps_input(piece)
def post_divide(number: str) -> BaseResponse:
    """Cut, slit, crop or sample."""
    with reading() as conn:
        row = get_piece(conn, number, node().code)
    operation = read_choice("operation", "Operation", LOSS_OF)
    parts = read_parts(
        read_text("parts", "Parts", most=4_000),
        find_number("from_mm", "Begins at", least=0, most=10**7, unit="mm", scale=1000) or 0,
    )
    scrap_g = find_number("scrap_kg", "Scrap", least=0, most=KG_MAX, unit="kg", scale=1000) or 0
    unit, reason = read_text("unit", "Unit", most=64), read_text("reason", "Reason", needed=False)
    made = work(plant(), _command(), HandWork(operation, unit, (row.material_id,), parts, "", scrap_g, reason))
    return _done(f"{row.number} became {', '.join(made['numbers'])}.", made["numbers"][0])


def read_parts(text: str, from_um: int) -> tuple[Part, ...]:
    """Parts one behind the other, a line each: `mm; number; kg`, number and kg as far as they are known."""
    found, at = [], from_um
    for line in filter(str.strip, text.splitlines()):
        match = _LINE.fullmatch(line)
        if match is None:
            raise BadInput("production.bad_part", f"{line!r} is no part.", todo="Write mm; number; kg in each line.")
        until = at + round(float(match["mm"].replace(",", "").replace(" ", "")) * 1000)
        kg = float((match["kg"] or "0").replace(",", ""))
        found.append(Part(at, until, match["number"] or "", round(kg * 1000)))
        at = until
    return tuple(found)


@bp.post("/<number>/weld")
@requires(*MAY)
@keeps_input(piece)
def post_weld(number: str) -> BaseResponse:
    """Weld this piece with others, in their order."""
    others = read_text("others", "Other pieces", most=2_000).split()
    unit, new = read_text("unit", "Unit", most=64), read_text("new_number", "Number", most=64, needed=False)
    made = work(plant(), _command(), HandWork("weld", unit, (number, *others), (), new))
    return _done(f"Welded: {made['numbers'][0]}.", made["numbers"][0])


@bp.post("/<number>/pack")
@requires(*MAY)
@keeps_input(piece)
def post_pack(number: str) -> BaseResponse:
    """Pack this piece, with others or alone."""
    others = read_text("others", "Other pieces", most=4_000, needed=False).split()
    mass_g = find_number("mass_kg", "Mass", least=0, most=KG_MAX, unit="kg", scale=1000) or 0
    new = read_text("new_number", "Number", most=64, needed=False)
    made = packing.pack(plant(), _command(), [number, *others], number=new, mass_g=mass_g)
    return _done(f"Packed: {made['number']} with {made['pieces']} pieces.", made["number"])


@bp.post("/<number>/open")
@requires(*MAY)
@keeps_input(piece)
def post_open(number: str) -> BaseResponse:
    """Take a pack apart."""
    said = packing.open_pack(plant(), _command(), number)
    return _done(f"{said['number']} is taken apart: {', '.join(said['pieces'])}.", said["pieces"][0])


@bp.post("/<number>/remelt")
@requires("lead", "quality")
@keeps_input(piece)
def post_remelt(number: str) -> BaseResponse:
    """Return it to the melt."""
    words = [read_text(name, label, most=64) for name, label in (("bay", "Bay"), ("scrap_grade", "Scrap grade"))]
    said = packing.remelt(plant(), _command(), number, words[0], words[1], read_text("reason", "Reason"))
    return _done(f"{said['number']} is returned to the melt.", said["material_id"])


def _command() -> Command:
    return Command(command_id(), actor())


def _done(text: str, number: str) -> BaseResponse:
    flash(text, "done")
    return redirect(url_for("pieces.piece", number=number))


DEEDS = (MenuItem("Material", "Work by hand", "work.piece", MAY),)
FEATURE = Feature(pages=(bp,), apis=(api,))
