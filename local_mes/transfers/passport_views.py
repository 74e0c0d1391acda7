"""Receipt by passport at the gate: scan the code or hand in the file, see what it says, take the piece in.

Works with this plant's server alone. Nothing is kept between the pages but in the pages: a file's passports travel with
them, so that a load is worked off piece by piece.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flask import Blueprint, flash, redirect, render_template, request, url_for
from sqlalchemy import Connection
from werkzeug.wrappers import Response as BaseResponse

from local_mes.context import plant
from local_mes.passports.keys import find_keys
from local_mes.transfers import reads
from local_mes.transfers.api import SHIPPERS
from local_mes.transfers.by_passport import PassportCommand, check_passport, receive_by_passport
from local_mes.transfers.passport_api import TEXT_MAX
from local_mes.transfers.passport_api import bp as api
from local_mes.transfers.views import KG_MAX
from shared.errors import BadInput, Refused, StrandlineError
from shared.passports.document import PIECES_MAX, LoadBody
from shared.passports.verify import Passport
from shared.units import G_PER_KG
from shared.web import forms
from shared.web.context import actor, node, reading, requires
from shared.web.features import Feature, MenuItem

bp = Blueprint("passports", __name__, url_prefix="/transfers/passport", template_folder="templates")
WEIGHED, AS_TOLD = "weighed", "as_told"
FILE_LINES_MAX = PIECES_MAX + 2
"""A load's passports, the load's own, and one that was scanned beside."""


@dataclass(frozen=True)
class Checked:
    """A passport as it was found at the gate: what it says, or why it is not accepted."""

    text: str
    passport: Passport | None
    refusal: StrandlineError | None = None


@bp.get("")
@requires(*SHIPPERS)
def receive() -> str:
    """First: scan, or choose the file. With ?passport=, what was scanned on another page."""
    scanned = request.args.get("passport", "")[:TEXT_MAX]
    if scanned:
        return _show([scanned])
    with reading() as conn:
        keys = find_keys(conn, plant())
    return render_template("transfers/passport.html", keys=keys)


@bp.post("/read")
@requires(*SHIPPERS)
@forms.keeps_input(receive)
def read() -> str:
    """What was scanned or handed in: one piece, or a load's."""
    return _show(_said())


@bp.post("/piece")
@requires(*SHIPPERS)
@forms.keeps_input(receive)
def piece() -> str:
    """One piece out of a load's file."""
    return _show([forms.read_text("passport", "Passport", most=TEXT_MAX)], _rest())


@bp.post("/take")
@requires(*SHIPPERS)
@forms.keeps_input(lambda: _show([forms.read_text("passport", "Passport", most=TEXT_MAX)], _rest()))
def take() -> BaseResponse | str:
    """The piece is taken in; on with the load's next, where there is one."""
    weighed = forms.read_choice("basis", "Mass is", (WEIGHED, AS_TOLD)) == WEIGHED
    command = PassportCommand(
        command_id=forms.command_id(),
        actor=actor(),
        passport=forms.read_text("passport", "Passport", most=TEXT_MAX),
        mass_g=forms.read_number("mass_kg", "Mass", least=1, most=KG_MAX, unit="kg", scale=G_PER_KG) if weighed else 0,
        place=forms.read_text("place", "Place", most=64),
        damage=forms.read_text("damage", "Damage", most=200, needed=False),
        own_number=forms.read_text("own_number", "Our number", most=64, needed=False),
    )
    done = receive_by_passport(plant(), command)
    named = f"The piece is here as {done['own_number']}."
    if done["standing"] == "revoked":
        flash(
            f"{named} Its sender's key is revoked: it may be moved, not charged, until its departure is found.", "held"
        )
    else:
        flash(named, "attention" if done["flagged"] else "done")
    if len(_rest()) > 1:
        return _show(_rest())
    return redirect(url_for("transfers.receipt", number=done["receipt_id"]))


def _said() -> list[str]:
    """Passports of a scan, or of a file with one on each line."""
    sent = request.files.get("file")
    content = sent.stream.read(FILE_LINES_MAX * TEXT_MAX + 1) if sent is not None and sent.filename else b""
    if len(content) > FILE_LINES_MAX * TEXT_MAX:
        raise BadInput("passport.file_large", "The file is larger than any load's.", todo="Choose the load's file.")
    if content:
        return _lines(content.decode("ascii", errors="replace"))
    return [forms.read_text("passport", "Passport", most=TEXT_MAX)]


def _rest() -> list[str]:
    """The other passports of the file that a page carries."""
    return _lines(request.form.get("rest", ""))


def _lines(text: str) -> list[str]:
    found = [line.strip() for line in text.splitlines() if line.strip()]
    if len(found) > FILE_LINES_MAX:
        raise BadInput("passport.file_long", f"The file has {len(found)} lines.", todo="Choose the load's file.")
    return list(dict.fromkeys(found))


def _show(texts: Sequence[str], rest: Sequence[str] = ()) -> str:
    """One piece with the form that takes it in, or a load's pieces to choose from."""
    with reading() as conn:
        checked = [_check(conn, text) for text in texts]
        place = reads.last_place(conn, node().code)
        keys = find_keys(conn, plant())
    load = _find_load(checked)
    if len(checked) == 1 and load is None:
        return render_template(
            "transfers/passport_piece.html", one=checked[0], rest=rest, place=place, kg_max=KG_MAX, keys=keys
        )
    pieces = [one for one in checked if one.passport is None or one.passport.body is not load]
    return render_template("transfers/passport_load.html", load=load, pieces=pieces, rest=texts)


def _find_load(checked: Sequence[Checked]) -> LoadBody | None:
    bodies = [one.passport.body for one in checked if one.passport is not None]
    return next((body for body in bodies if isinstance(body, LoadBody)), None)


def _check(conn: Connection, text: str) -> Checked:
    try:
        return Checked(text, check_passport(conn, plant(), text))
    except (Refused, BadInput) as error:
        return Checked(text, None, error)


FEATURE = Feature(pages=(bp,), apis=(api,), menu=(MenuItem("Transfers", "By passport", "passports.receive", SHIPPERS),))
