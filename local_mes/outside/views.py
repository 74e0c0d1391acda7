"""The plant's own pages about outside parties: what they said, what waits for a person, tokens, files, links, messages."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import segno
from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from local_mes.context import plant
from local_mes.dispatch.api import SALES, SHIPPERS
from local_mes.dispatch.service import get_party
from local_mes.outside import errors, links, queries, reads, service, telling
from local_mes.outside.csv_reading import read_csv, template
from local_mes.outside.domain import WAYS, WORDS, Statement
from local_mes.outside.door import bp as door
from local_mes.outside.link_views import bp as link_pages
from local_mes.outside.taking import take_rows
from local_mes.transfers import service as transfers
from shared.web import forms
from shared.web.context import actor, node, reading, requires
from shared.web.features import Feature, MenuItem
from shared.web.listing import Column, Filter, answer_list
from shared.web.paging import Page, Paging, cut

bp = Blueprint("outside", __name__, url_prefix="/outside", template_folder="templates")
MAY_SETTLE = ("yard", "lead", "engineer")
STATES = (("open", "Waits for a person"), ("done", "Recorded"), ("dropped", "Set aside"))
SIGNS = {"open": "attention", "done": "done", "dropped": "stale"}
EVENT_COLUMNS = (
    Column("received_at_ms", "Came", show="when"),
    Column("party", "Party", show="code", link="outside.party", link_arg="code"),
    Column("kind_words", "Says", link="outside.entry", link_key="statement_id", link_arg="statement_id"),
    Column("way_words", "By"),
    Column("state_words", "State", show="badge"),
    Column("reason", "Why"),
)


@bp.get("/")
def entries() -> str | Response:
    """Everything outside parties said, what waits for a person first to be found."""
    return answer_list(
        "outside/entries.html", EVENT_COLUMNS, _read_entries, filters=(Filter("state", "State", STATES),)
    )


def _read_entries(paging: Paging) -> Page[Any]:
    with reading() as conn:
        rows = queries.list_events(conn, state=paging.wants("state"), after=paging.after, limit=paging.limit + 1)
    return cut([reads.event_row(row, dict(STATES), SIGNS) for row in rows], paging, "statement_id")


@bp.get("/entries/<statement_id>")
def entry(statement_id: str) -> str:
    """One thing that was said, and how to settle it."""
    with reading() as conn:
        row = queries.find_statement(conn, statement_id)
    if row is None:
        raise errors.unknown_statement(statement_id)
    said = msgspec.json.decode(row.statement, type=Statement)
    names = [one.piece for one in (*said.inputs, *said.pieces)]
    return render_template(
        "outside/entry.html", row=row, said=said, names=names, words=WORDS, ways=WAYS, may=MAY_SETTLE, signs=SIGNS
    )


@bp.post("/entries/<statement_id>/settle")
@requires(*MAY_SETTLE)
@forms.keeps_input(entry)
def settle(statement_id: str) -> BaseResponse:
    """Once more, with the pieces as a person names them."""
    pairs = zip(request.form.getlist("said"), request.form.getlist("means"), strict=False)
    names = {said: means.strip()[:64] for said, means in pairs if means.strip()}
    done = service.settle(plant(), statement_id, names, actor=actor())
    if done.state == "open":
        flash(f"It still waits: {done.reason}.", "attention")
        return redirect(url_for("outside.entry", statement_id=statement_id))
    flash("It is recorded.")
    return redirect(url_for("outside.entries", state="open"))


@bp.post("/entries/<statement_id>/drop")
@requires(*MAY_SETTLE)
@forms.keeps_input(entry)
def drop(statement_id: str) -> BaseResponse:
    """Set aside, with why."""
    service.drop(plant(), statement_id, forms.read_text("note", "Note"), actor=actor())
    flash("It is set aside and stays readable.")
    return redirect(url_for("outside.entries", state="open"))


@bp.get("/parties/<code>")
def party(code: str) -> str:
    """One party: what lies there, what is on its way back, its tokens."""
    return _party(code)


def _party(code: str, **more: Any) -> str:
    with reading() as conn:
        found = reads.read_party(conn, node().code, code)
    return render_template("outside/party.html", sales=SALES, shippers=SHIPPERS, **found, **more)


@bp.post("/parties/<code>/tokens")
@requires(*SALES)
@forms.keeps_input(party)
def give_token(code: str) -> str:
    """The token stands on the answer alone; nothing keeps it."""
    title = forms.read_text("title", "For what", most=100)
    return _party(code, token=service.give_token(plant(), code, title, actor=actor()))


@bp.post("/parties/<code>/tokens/<token_id>/revoke")
@requires(*SALES)
@forms.keeps_input(party)
def revoke_token(code: str, token_id: str) -> BaseResponse:
    """A token ends."""
    service.revoke_token(plant(), token_id)
    flash("The token opens nothing any more.")
    return redirect(url_for("outside.party", code=code))


@bp.post("/parties/<code>/csv")
@requires(*SHIPPERS)
@forms.keeps_input(party)
def upload(code: str) -> str:
    """A party's file, row by row."""
    with reading() as conn:
        get_party(conn, node().code, code)
    file = request.files.get("file")
    if file is None or not file.filename:
        raise errors.not_csv("no file was chosen")
    rows = read_csv(file.read(), ZoneInfo(plant().model.plant.zone))
    return _party(code, results=take_rows(plant(), code, rows))


@bp.get("/template.csv")
def empty_file() -> BaseResponse:
    """The columns, with rows to overwrite."""
    return _file(template(), "outside.csv", "text/csv")


@bp.post("/parties/<code>/take-back")
@requires(*SHIPPERS)
@forms.keeps_input(party)
def take_back(code: str) -> BaseResponse:
    """A piece that the party sent is here again."""
    command = transfers.LineCommand(
        command_id=forms.command_id(),
        actor=actor(),
        shipment=forms.read_text("shipment", "Load", most=64),
        piece=forms.read_text("piece", "Piece", most=64),
        note=f"back from {code}",
        place=forms.read_text("place", "Place", most=64),
    )
    done = transfers.take_back(plant(), command)
    flash(f"{done['number']} is here again.")
    return redirect(url_for("outside.party", code=code))


@bp.get("/loads/<number>")
def load(number: str) -> str:
    """A load to an outside party: links to it, messages about it, what was said."""
    return _load(number)


def _load(number: str, **more: Any) -> str:
    with reading() as conn:
        found = reads.read_load(conn, node().code, number)
    return render_template("outside/load.html", shippers=SHIPPERS, hours_max=links.HOURS_MAX, **found, **more)


@bp.post("/loads/<number>/links")
@requires(*SHIPPERS)
@forms.keeps_input(load)
def give_link(number: str) -> str:
    """The address stands on the answer alone, with a code to scan; nothing keeps it."""
    hours = forms.read_number("hours", "Valid for", least=1, most=links.HOURS_MAX, unit="h")
    secret = links.give_link(plant(), number, hours, actor=actor())
    address = url_for("load_link.enter", secret=secret, _external=True)
    return _load(number, address=address, code=segno.make(address, error="m").svg_data_uri(scale=4, light="white"))


@bp.post("/loads/<number>/links/<link_id>/revoke")
@requires(*SHIPPERS)
@forms.keeps_input(load)
def revoke_link(number: str, link_id: str) -> BaseResponse:
    """A link ends."""
    links.revoke_link(plant(), link_id)
    flash("The link opens nothing any more.")
    return redirect(url_for("outside.load", number=number))


@bp.get("/loads/<number>/<message>.x12")
def load_message(number: str, message: str) -> BaseResponse:
    """A message about a load."""
    with reading() as conn:
        return _file(telling.load_message(conn, plant(), message, number), f"{number}-{message}.x12", "text/plain")


@bp.get("/parties/<code>/846.x12")
def stock_message(code: str) -> BaseResponse:
    """What is here and on the way."""
    with reading() as conn:
        get_party(conn, node().code, code)
        return _file(telling.stock_message(conn, plant(), code), f"{node().code}-846.x12", "text/plain")


def _file(text: str, name: str, kind: str) -> BaseResponse:
    # a processor's load is called by the processor
    safe = "".join(char if (char.isascii() and char.isalnum()) or char in "-_." else "_" for char in name)
    answer = Response(text, mimetype=kind)
    answer.headers["Content-Disposition"] = f'attachment; filename="{safe}"'
    return answer


FEATURE = Feature(
    pages=(bp, link_pages),
    machine=(door,),
    menu=(MenuItem("Transfers", "From outside", "outside.entries"),),
)
