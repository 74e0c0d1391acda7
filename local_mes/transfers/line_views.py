"""Forms for what is said of a piece on its way: sent elsewhere, changed by its sender, cut or renamed before it came."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, url_for
from werkzeug.wrappers import Response as BaseResponse

from local_mes.context import plant
from local_mes.transfers import service
from local_mes.transfers.api import SHIPPERS
from local_mes.transfers.views import KG_MAX, load, receipt_page
from shared.errors import BadInput
from shared.units import G_PER_KG
from shared.web import forms
from shared.web.context import actor, requires
from shared.web.features import Feature

bp = Blueprint("lines", __name__, url_prefix="/transfers", template_folder="templates")
HOUR_MS = 3_600_000
HOURS_MAX = 24 * 30


@bp.post("/loads/<number>/divert")
@requires(*SHIPPERS)
@forms.keeps_input(load)
def divert(number: str) -> BaseResponse:
    """Pieces on their way go to another plant."""
    hours = forms.find_number("hours", "Expected in", least=0, most=HOURS_MAX, unit="h")
    command = service.DivertCommand(
        command_id=forms.command_id(),
        actor=actor(),
        shipment=number,
        to=forms.read_text("to", "New addressee", most=12).upper(),
        note=forms.read_text("why", "Why"),
        pieces=tuple(forms.read_text("pieces", "Pieces", most=4_000, needed=False).split()),
        eta_ms=None if hours is None else plant().clock.now_ms() + hours * HOUR_MS,
    )
    done = service.divert(plant(), command)
    flash(f"{', '.join(done['pieces'])} go on to {command.to} as {done['number']}. Both plants will be told.", "done")
    return redirect(url_for("transfers.load", number=done["number"]))


@bp.post("/loads/<number>/amend")
@requires("quality", "lead")
@forms.keeps_input(load)
def amend(number: str) -> BaseResponse:
    """The sender changes what it says of a piece that left."""
    command = service.AmendCommand(
        command_id=forms.command_id(),
        actor=actor(),
        shipment=number,
        piece=forms.read_text("amended", "Piece", most=64),
        reason=forms.read_text("reason", "Why"),
        grade=forms.read_text("grade", "Grade", most=32, needed=False),
        chemistry_e6=_elements(forms.read_text("chemistry", "Chemistry", needed=False)),
    )
    service.amend(plant(), command)
    flash(f"Said of {command.piece}. The receiver holds what it has of it until somebody has looked.", "done")
    return redirect(url_for("transfers.load", number=number))


@bp.post("/receive/<number>/parts")
@requires(*SHIPPERS)
@forms.keeps_input(load)
def parts(number: str) -> BaseResponse:
    """A listed piece was cut on its way and comes as parts."""
    masses = forms.read_text("masses", "Masses of the parts", most=200).split()
    command = service.ReceiveCommand(
        command_id=forms.command_id(),
        actor=actor(),
        piece=forms.read_text("whole", "Piece", most=64),
        mass_g=0,
        place=forms.read_text("parts_place", "Place", most=64),
        shipment=number,
    )
    done = service.receive_parts(plant(), command, [service.Part(_grams(text)) for text in masses])
    flash(f"{command.piece} is here as {', '.join(part['number'] for part in done['parts'])}.", "done")
    return redirect(url_for("transfers.load", number=number))


@bp.post("/receipts/<receipt_id>/match")
@requires(*SHIPPERS)
@forms.keeps_input(receipt_page)
def match(receipt_id: str) -> BaseResponse:
    """A waiting receipt is found to be a listed piece that bears another number now."""
    piece = forms.read_text("piece", "Number on the list", most=64)
    done = service.match_by_hand(
        plant(),
        receipt_id,
        forms.read_text("shipment", "Load", most=64),
        piece,
        note=forms.read_text("note", "How it is known"),
        actor=actor(),
        command_id=forms.command_id(),
    )
    flash(f"It is {done['number']}; the number that it came with stays one of its names.", "done")
    return redirect(url_for("transfers.receipt", number=receipt_id))


def _grams(text: str) -> int:
    """Whole kilograms as grams."""
    if not text.isdecimal() or not 0 < int(text) <= KG_MAX:
        raise BadInput("form.mass", f"{text!r} is no mass in kg.", todo="Write whole kilograms, one a part.")
    return int(text) * G_PER_KG


def _elements(text: str) -> dict[str, int]:
    """'C 450 Mn 1200' or 'C=450, Mn=1200' as element -> 1e-6 mass fraction."""
    words = text.replace("=", " ").replace(",", " ").split()
    if len(words) % 2 or not all(value.isdecimal() for value in words[1::2]):
        raise BadInput(
            "form.chemistry", f"{text!r} is no list of elements.", todo="Write C 450 Mn 1200: ppm, whole numbers."
        )
    return {name: int(value) for name, value in zip(words[::2], words[1::2], strict=True)}


FEATURE = Feature(pages=(bp,))
