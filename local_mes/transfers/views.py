"""Pages of shipping and receiving: what left, what is expected, taking a piece in with three taps."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from local_mes.context import plant
from local_mes.transfers import reads, service
from local_mes.transfers.api import SHIPPERS
from local_mes.transfers.api import bp as api
from local_mes.transfers.line_api import bp as line_api
from local_mes.transfers.photos import PHOTO_BYTES_MAX
from local_mes.transfers.routing import routes_of
from shared.transfers.api import bp as reads_api
from shared.transfers.showing import LINE_COLUMNS, SENT_COLUMNS
from shared.units import G_PER_KG
from shared.web import forms
from shared.web.context import actor, node, reading, requires
from shared.web.features import Feature, MenuItem
from shared.web.listing import Column, Filter, answer_list

bp = Blueprint("transfers", __name__, url_prefix="/transfers", template_folder="templates")
KG_MAX = 400_000

LOAD_COLUMNS = (
    Column("number", "Load", show="code", link="transfers.load"),
    Column("author", "From"),
    Column("to_plant", "To"),
    Column("lane", "Lane"),
    Column("vehicle", "Vehicle"),
    Column("pieces", "Pieces", show="whole"),
    Column("mass_g", "Mass", unit="t", show="tonnes"),
    Column("departed_at_ms", "Left", show="when"),
    Column("eta_ms", "Expected", show="when"),
)
RECEIPT_COLUMNS = (
    Column("own_number", "Our number", show="code", link="pieces.piece", link_key="own_number"),
    Column("printed_number", "Number on the piece", show="code"),
    Column("from_plant", "From"),
    Column("shipment_number", "Load", show="code", link="transfers.load", link_key="known_load"),
    Column("mass_g", "Our mass", unit="kg", show="kg"),
    Column("sender_mass_g", "Sender's mass", unit="kg", show="kg"),
    Column("place", "Place", show="code"),
    Column("received_at_ms", "Taken in", show="when"),
    Column("state", "State", show="badge", link="transfers.receipt", link_key="receipt_id"),
)


@bp.get("/loads")
def loads() -> str | Response:
    """Loads that left here."""
    return answer_list(
        "transfers/loads.html", LOAD_COLUMNS, reads.read_loads, filters=(Filter("q", "Load or vehicle"),)
    )


@bp.get("/loads/new")
@requires(*SHIPPERS)
def load_form() -> str:
    """Listing a load that departs."""
    with reading() as conn:
        ready = reads.read_ready(conn, node().code, request.args.get("q", ""))
    return render_template("transfers/load_new.html", lanes=plant().model.lane, ready=ready)


@bp.post("/loads/new")
@requires(*SHIPPERS)
@forms.keeps_input(load_form)
def ship() -> BaseResponse:
    """A load departs."""
    lane = forms.read_choice("lane", "Lane", {lane.code: lane for lane in plant().model.lane})
    command = service.ShipCommand(
        command_id=forms.command_id(),
        actor=actor(),
        number=forms.read_text("number", "Load number", most=64, needed=False),
        to=next(way.to for way in plant().model.lane if way.code == lane),
        lane=lane,
        vehicle=forms.read_text("vehicle", "Vehicle", most=64, needed=False),
        carrier=forms.read_text("carrier", "Carrier", most=64, needed=False),
        lines=reads.listed_pieces(forms.read_text("pieces", "Pieces", most=8_000)),
    )
    done = service.ship(plant(), command)
    flash(f"{done['number']} left with {done['pieces']} pieces.")
    return redirect(url_for("transfers.load", number=done["number"]))


@bp.get("/loads/<number>")
def load(number: str) -> str:
    """One load as both sides tell it."""
    with reading() as conn:
        found = reads.read_load(conn, node().code, number)
    columns = SENT_COLUMNS if found["outgoing"] else LINE_COLUMNS
    return render_template("transfers/load.html", columns=columns, **found)


@bp.post("/loads/<number>/close")
@requires(*SHIPPERS)
@forms.keeps_input(load)
def close(number: str) -> BaseResponse:
    """Nothing more comes of a load."""
    done = service.close_receipt(plant(), number, actor=actor(), command_id=forms.command_id())
    short = ", ".join(done["short"])
    text = (
        f"{done['received']} pieces received. Short: {short}." if short else f"All {done['received']} pieces are here."
    )
    flash(text, "attention" if short else "message")
    return redirect(url_for("transfers.load", number=number))


@bp.post("/loads/<number>/correct")
@requires(*SHIPPERS)
@forms.keeps_input(load)
def correct(number: str) -> BaseResponse:
    """The sender corrects a departure."""
    kind = forms.read_choice("kind", "What happened", ("did_not_occur", "late", CONTRADICTED))
    command = service.CorrectDeparture(
        command_id=forms.command_id(),
        actor=actor(),
        shipment=number,
        piece=forms.read_text("piece", "Piece", most=64),
        kind="did_not_occur" if kind == CONTRADICTED else kind,
        note=forms.read_text("note", "Note"),
        contradicts=kind == CONTRADICTED,
    )
    service.correct_departure(plant(), command)
    flash(f"Declared for {command.piece}. The hub and the receiver will be told.")
    return redirect(url_for("transfers.load", number=number))


@bp.post("/loads/<number>/say")
@requires(*SHIPPERS)
@forms.keeps_input(load)
def say(number: str) -> BaseResponse:
    """A piece of the load went another way."""
    kind = forms.read_choice("kind", "What happened", tuple(OTHER_WAYS))
    deed, words = OTHER_WAYS[kind]
    command = service.LineCommand(
        command_id=forms.command_id(),
        actor=actor(),
        shipment=number,
        piece=forms.read_text("piece", "Piece", most=64),
        note=forms.read_text("note", "Note"),
        place=forms.read_text("place", "Place", most=64, needed=False),
        contradicts=kind == CONTRADICTED,
    )
    deed(plant(), command)
    flash(f"{command.piece} {words}. The other side will be told.")
    return redirect(url_for("transfers.load", number=number))


@bp.get("/expected")
def expected() -> str:
    """Loads on their way here, and what waits for its sender's data."""
    with reading() as conn:
        found = reads.read_expected(conn, node().code)
    return render_template("transfers/expected.html", **found)


@bp.get("/receive")
@requires(*SHIPPERS)
def receive_load() -> str:
    """First tap: which load."""
    with reading() as conn:
        found = reads.read_expected(conn, node().code)
    return render_template("transfers/receive_load.html", **found)


@bp.get("/receive/<number>")
@requires(*SHIPPERS)
def receive_piece(number: str) -> str:
    """Second tap: which piece."""
    with reading() as conn:
        found = reads.read_load(conn, node().code, number)
    return render_template("transfers/receive_piece.html", **found)


@bp.get("/receive/piece")
@requires(*SHIPPERS)
def receive_form() -> str:
    """Third tap: mass and place, then take it in."""
    wanted, number = request.args.get("shipment", ""), request.args.get("piece", "")
    with reading() as conn:
        line = reads.find_expected_line(conn, node().code, wanted, number)
        place = reads.last_place(conn, node().code)
    return render_template(
        "transfers/receive_form.html", shipment=wanted, number=number, line=line, place=place, kg_max=KG_MAX
    )


@bp.post("/receive/piece")
@requires(*SHIPPERS)
@forms.keeps_input(receive_form)
def receive() -> BaseResponse:
    """A piece is taken in."""
    command = service.ReceiveCommand(
        command_id=forms.command_id(),
        actor=actor(),
        piece=forms.read_text("piece", "Number on the piece", most=64),
        mass_g=forms.read_number("mass_kg", "Mass", least=1, most=KG_MAX, unit="kg", scale=G_PER_KG),
        mass_basis=forms.read_choice("basis", "Mass is", ("weighed", "theoretical")),
        place=forms.read_text("place", "Place", most=64),
        damage=forms.read_text("damage", "Damage", most=200, needed=False),
        shipment=forms.read_text("shipment", "Load", most=64, needed=False),
        own_number=forms.read_text("own_number", "Our number", most=64, needed=False),
    )
    done = service.receive(plant(), command)
    flash(*_told(command.piece, done))
    if command.shipment and not done["provisional"]:
        return redirect(url_for("transfers.receive_piece", number=command.shipment))
    return redirect(url_for("transfers.receipt", number=done["receipt_id"]))


CONTRADICTED = "contradicted"
OTHER_WAYS = {
    "refused": (service.refuse, "is refused: it stays on its sender's account"),
    "returned": (service.take_back, "is here again"),
    CONTRADICTED: (service.take_back, "is here, its addressee says otherwise: the group's desk looks into it"),
    "lost": (service.write_off, "is given up on this side; it is written off when the other side says so too"),
}
"""What may be said of a piece on its way -> the deed, and what it means."""


def _told(piece: str, done: dict[str, Any]) -> tuple[str, str]:
    named = f"{piece} is here as {done['own_number']}."
    if done["provisional"]:
        return (
            f"{named} Nobody announced it yet: it may be moved, not charged, until its sender's data arrives.",
            "held",
        )
    if done["flagged"]:
        return f"{named} The masses differ by {done['difference_g'] / G_PER_KG:+,.0f} kg: weigh it again.", "attention"
    return named, "message"


@bp.get("/receipts")
def receipts() -> str | Response:
    """What was taken in."""
    choices = (("yes", "Waiting for data"), ("no", "Matched"))
    return answer_list(
        "transfers/receipts.html",
        RECEIPT_COLUMNS,
        reads.read_receipts,
        filters=(Filter("q", "Any number"), Filter("provisional", "State", choices)),
    )


@bp.get("/receipts/<number>")
def receipt(number: str) -> str:
    """One receipt with what the sender said."""
    return receipt_page(number)


def receipt_page(receipt_id: str) -> str:
    """A receipt's page, also where something said of it was refused."""
    with reading() as conn:
        found = reads.read_receipt(conn, node().code, receipt_id)
    choices = [(route, route) for route in routes_of(plant().model)]
    return render_template("transfers/receipt.html", route_choices=choices, photo_bytes_max=PHOTO_BYTES_MAX, **found)


FEATURE = Feature(
    pages=(bp,),
    apis=(reads_api, api, line_api),
    menu=(
        MenuItem("Transfers", "Expected", "transfers.expected"),
        MenuItem("Transfers", "Take in", "transfers.receive_load", SHIPPERS),
        MenuItem("Transfers", "Receipts", "transfers.receipts"),
        MenuItem("Transfers", "Loads", "transfers.loads"),
    ),
)
