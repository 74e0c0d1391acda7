"""Pages of dispatch: what is ready for a customer and what it lacks, deliveries, customers and terms, on time in full."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from local_mes.context import plant
from local_mes.dispatch import reads, service
from local_mes.dispatch.api import SALES, SHIPPERS
from local_mes.dispatch.api import bp as api
from local_mes.dispatch.note_pdf import make_note
from shared.outside.facts import PartyAgreed, TermsAgreed
from shared.outside.otif import DEFINITION, scores
from shared.outside.queries import find_deliveries, lines_of, list_parties
from shared.outside.showing import ORDER_COLUMNS, OTIF_COLUMNS, order_row, score_row
from shared.transfers.showing import line_row
from shared.web import forms
from shared.web.context import actor, node, reading, requires
from shared.web.features import Feature, MenuItem
from shared.web.listing import Column, Filter, answer_list
from shared.web.paging import Page, Paging, cut

bp = Blueprint("dispatch", __name__, url_prefix="/dispatch", template_folder="templates")
PPM_A_PERCENT = 10_000
HOURS_MAX = 24 * 90

DELIVERY_COLUMNS = (
    Column("note_number", "Delivery note", show="code", link="dispatch.delivery"),
    Column("party", "To", show="code"),
    Column("party_name", "Name"),
    Column("shipment_number", "Load", show="code"),
    Column("pieces", "Pieces", show="whole"),
    Column("mass_g", "Mass", unit="t", show="tonnes"),
    Column("left_at_ms", "Left", show="when"),
)
LINE_COLUMNS = (
    Column("number", "Piece", show="code", link="pieces.piece"),
    Column("state_words", "State", show="badge"),
    Column("order_item", "Order item", show="code"),
    Column("noted_g", "On the note", unit="kg", show="kg"),
    Column("noted_basis", "Basis"),
    Column("certificate", "Certificate", show="code"),
    Column("own_number", "Their number", show="code"),
    Column("receiver_mass_g", "Their mass", unit="kg", show="kg"),
    Column("damage", "Damage"),
)


@bp.get("/")
def deliveries() -> str | Response:
    """What left the group from here."""
    filters = (Filter("q", "Note or load"),)
    return answer_list("dispatch/deliveries.html", DELIVERY_COLUMNS, _read_deliveries, filters=filters)


def _read_deliveries(paging: Paging) -> Page[Any]:
    here = node().code
    with reading() as conn:
        rows = find_deliveries(conn, here, q=paging.wants("q"), after=paging.after, limit=paging.limit + 1)
        lines = lines_of(conn, here, [row.shipment_id for row in rows])
    counted = [
        dict(row._mapping)
        | {"pieces": len(lines[row.shipment_id]), "mass_g": sum(line.mass_g for line in lines[row.shipment_id])}
        for row in rows
    ]
    return cut(counted, paging, "shipment_id")


@bp.get("/new")
@requires(*SHIPPERS)
def new() -> str:
    """First whom, then which pieces; each with what it still lacks."""
    code = request.values.get("party", "")
    with reading() as conn:
        parties = list_parties(conn, node().code, ended=False)
        party = next((one for one in parties if one.code == code), None)
        ready = reads.read_ready(conn, plant(), party) if party else []
    choices = [(one.code, f"{one.code} {one.name}") for one in parties]
    return render_template("dispatch/new.html", parties=parties, choices=choices, party=party, ready=ready)


@bp.post("/new")
@requires(*SHIPPERS)
@forms.keeps_input(new)
def leave() -> BaseResponse:
    """The load leaves."""
    certificate = forms.read_text("certificate", "Certificate", most=64, needed=False)
    pieces = []
    for line in forms.read_text("pieces", "Pieces", most=8_000).splitlines():
        piece, _, position = line.strip().partition(" ")
        if piece:
            pieces.append(service.Loaded(piece, position.strip(), certificate))
    command = service.DispatchCommand(
        command_id=forms.command_id(),
        actor=actor(),
        party=forms.read_text("party", "To", most=12),
        pieces=tuple(pieces),
        vehicle=forms.read_text("vehicle", "Vehicle", most=64, needed=False),
        mode=forms.read_choice("mode", "By", ("truck", "rail")),
    )
    done = service.dispatch(plant(), command)
    flash(f"{done['note_number']} left with {done['pieces']} pieces. Print the note for the driver.")
    return redirect(url_for("dispatch.delivery", number=done["note_number"]))


@bp.get("/<number>")
def delivery(number: str) -> str:
    """One delivery as both sides tell it."""
    with reading() as conn:
        found = reads.read_delivery(conn, node().code, number)
    rows = [line_row(line) | _noted(found["noted"].get(line.material_id)) for line in found["lines"]]
    return render_template("dispatch/delivery.html", rows=rows, columns=LINE_COLUMNS, **found)


def _noted(piece: Any) -> dict[str, Any]:
    """What the note says of a piece; nothing of one that was declared to have left with the load afterwards."""
    if piece is None:
        return {"noted_g": None, "noted_basis": "", "certificate": ""}
    return {"noted_g": piece.mass_g, "noted_basis": piece.mass_basis, "certificate": piece.certificate}


@bp.get("/<number>/note.pdf")
def note(number: str) -> BaseResponse:
    """The paper for the driver."""
    with reading() as conn:
        made = reads.note_of(conn, plant(), number)
    answer = Response(make_note(made), mimetype="application/pdf")
    answer.headers["Content-Disposition"] = f'inline; filename="{made.number}.pdf"'
    return answer


@bp.get("/customers")
def parties() -> str:
    """Whom this plant answers for, and what their orders demand."""
    with reading() as conn:
        rows = list_parties(conn, node().code)
        orders = reads.read_orders_with_terms(conn, node().code)
    return render_template("dispatch/parties.html", parties=rows, orders=orders)


@bp.post("/customers")
@requires(*SALES)
@forms.keeps_input(parties)
def agree() -> BaseResponse:
    """A party is agreed, or changed."""
    fact = PartyAgreed(
        code=forms.read_text("code", "Code", most=12),
        name=forms.read_text("name", "Name", most=200),
        kind=forms.read_choice("kind", "Kind", ("customer", "processor")),
        address=forms.read_text("address", "Address", needed=False),
        confirms=bool(request.form.get("confirms")),
        hours=forms.read_number("hours", "Usual hours on the way", least=1, most=HOURS_MAX, unit="h"),
        ended=bool(request.form.get("ended")),
    )
    service.agree_party(plant(), fact, actor=actor(), command_id=forms.command_id())
    flash(f"{fact.code} is agreed.")
    return redirect(url_for("dispatch.parties"))


@bp.post("/terms")
@requires(*SALES)
@forms.keeps_input(parties)
def terms() -> BaseResponse:
    """What an order demands."""
    fact = TermsAgreed(
        item=forms.read_text("item", "Order item", most=64),
        mass_basis=forms.read_text("mass_basis", "Mass", most=16, needed=False),
        certificate=forms.read_text("certificate", "Certificate", most=16, needed=False),
        rules=tuple(forms.read_text("rules", "Tests", needed=False).split()),
        packed=bool(request.form.get("packed")),
        tolerance_ppm=forms.read_number("tolerance", "Tolerance", least=0, most=50, unit="%", scale=PPM_A_PERCENT),
    )
    service.agree_terms(plant(), fact, actor=actor(), command_id=forms.command_id())
    flash(f"Terms of {fact.item} are agreed.")
    return redirect(url_for("dispatch.parties"))


@bp.get("/on-time-in-full")
def otif() -> str:
    """By customer and month, and the orders behind it."""
    now_ms = node().clock.now_ms()
    with reading() as conn:
        found = reads.read_otif(conn, plant(), now_ms)
    return render_template(
        "otif.html",
        definition=DEFINITION,
        as_of_ms=now_ms,
        columns=OTIF_COLUMNS,
        rows=[score_row(score) for score in scores(found)],
        order_columns=ORDER_COLUMNS,
        orders=[order_row(one) for one in found],
    )


FEATURE = Feature(
    pages=(bp,),
    apis=(api,),
    menu=(
        MenuItem("Transfers", "Deliveries", "dispatch.deliveries"),
        MenuItem("Transfers", "Customers and processors", "dispatch.parties"),
        MenuItem("Figures", "On time in full", "dispatch.otif"),
    ),
)
