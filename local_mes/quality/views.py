"""Pages of quality: what is held and why, the decision on a hold with its evidence, holding a piece by hand."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from sqlalchemy import Connection
from werkzeug.wrappers import Response as BaseResponse

from local_mes.context import plant
from local_mes.quality import service
from local_mes.quality.api import bp as commands
from local_mes.quality.others import read_others
from shared.errors import NotFound
from shared.material.queries import find_by_number, rows_of
from shared.orders.queries import find_orders
from shared.quality.domain import DISPOSITIONS
from shared.quality.queries import find_decision, find_hold, list_decisions, list_holds, list_samples
from shared.transfers.queries import find_told_piece
from shared.web import accounts, forms
from shared.web.context import actor, node, reading, requires
from shared.web.features import Feature, MenuItem
from shared.web.listing import Column, Filter, answer_list
from shared.web.paging import Page, Paging, cut
from shared.web.pieces.graph import first_rows

bp = Blueprint("quality", __name__, url_prefix="/quality", template_folder="templates")
ORDERS_OFFERED = 200
WORDS = {
    "prime": "Prime: free for its order",
    "reapply": "Re-apply: serves another order",
    "downgrade": "Downgrade: sold as a lesser grade",
    "rework": "Rework",
    "scrap": "Scrap",
    "return": "Return to its sender",
}
OUTCOMES = {"pass": "done", "hold": "held", "mark": "attention", "case": "attention", "pending": "attention"}

HOLD_COLUMNS = (
    Column("number", "Piece", show="code", link="quality.hold", link_key="hold_id", link_arg="hold_id"),
    Column("kind", "Kind", show="kind"),
    Column("grade", "Grade"),
    Column("mass_g", "Mass", unit="kg", show="kg"),
    Column("rule", "Held by"),
    Column("reason", "Why"),
    Column("placed_at_ms", "Since", show="when"),
    Column("state", "State", show="badge"),
)
DECISION_COLUMNS = (
    Column("decided_at_ms", "When", show="when"),
    Column("number", "Piece", show="code", link="pieces.piece", link_key="material_id"),
    Column("rule", "Rule"),
    Column("outcome", "Outcome", show="badge"),
    Column("explanation", "Why"),
)

ELEMENTS = ("C", "Si", "Mn", "P", "S", "Al", "Cu", "Cr", "Ni", "N", "Sn")
PLACES = {"EAF": "Furnace", "LFA": "Ladle, arrival", "LFF": "Ladle, final", "TUN": "Tundish", "product": "Product"}
SAMPLE_COLUMNS = (
    Column("number", "Sample", show="code"),
    Column("of", "Of", show="code", link="pieces.piece", link_key="material_id"),
    Column("place", "Place"),
    Column("taken_at_ms", "Taken", show="when"),
    Column("analysed_at_ms", "Result", show="when"),
    *(Column(element, element, unit="%", show="chemistry") for element in ELEMENTS),
)


@bp.get("/holds")
def holds() -> str | Response:
    """What is or was held."""
    filters = (
        Filter("state", "State", (("open", "Held now"), ("released", "Released"))),
        Filter("rule_id", "Rule"),
        Filter("q", "Number"),
    )
    with reading() as conn:
        others = read_others(conn, node().code, node().clock.now_ms())
    return answer_list("quality/holds.html", HOLD_COLUMNS, _read_holds, filters=filters, others=others)


def _read_holds(paging: Paging) -> Page[Any]:
    with reading() as conn:
        rows = list_holds(
            conn,
            "",  # other plants' too: what they hold of the steel here binds here
            paging.wants("state"),
            _ids(conn, paging.wants("q")),
            paging.wants("rule_id"),
            paging.after,
            paging.limit,
        )
        pieces = _pieces(conn, [row.material_id for row in rows])
    page = cut(rows, paging, "hold_id")
    return Page([_hold_row(row, pieces.get(row.material_id)) for row in page], page.next)


def _hold_row(row: Any, piece: Any) -> dict[str, Any]:
    released = row.released_at_ms is not None
    return {
        **_named(piece, row.material_id),
        "hold_id": row.hold_id,
        "rule": row.rule_id or ("hand" if row.author == node().code else "another plant"),
        "reason": row.reason,
        "placed_at_ms": row.placed_at_ms,
        "state": row.disposition if released else "held",
        "state_state": "done" if released else "held",
    }


def _named(piece: Any, material_id: str) -> dict[str, Any]:
    if piece is None:
        return {"number": material_id[:8], "kind": None, "grade": None, "mass_g": None}
    return {"number": piece.number, "kind": piece.kind, "grade": piece.grade, "mass_g": piece.mass_g}


@bp.get("/decisions")
def decisions() -> str | Response:
    """What rules decided."""
    filters = (Filter("outcome", "Outcome", tuple((o, o) for o in OUTCOMES)), Filter("rule_id", "Rule"))
    return answer_list("quality/decisions.html", DECISION_COLUMNS, _read_decisions, filters=filters)


def _read_decisions(paging: Paging) -> Page[Any]:
    with reading() as conn:
        rows = list_decisions(
            conn, node().code, paging.wants("outcome"), paging.wants("rule_id"), None, paging.after, paging.limit
        )
        pieces = _pieces(conn, [row.material_id for row in rows])
    page = cut(rows, paging, "decision_id")
    shown = [
        {
            **row._mapping,
            "number": _named(pieces.get(row.material_id), row.material_id)["number"],
            "rule": f"{row.rule_id} v{row.rule_version}",
            "outcome_state": OUTCOMES.get(row.outcome, "attention"),
        }
        for row in page
    ]
    return Page(shown, page.next)


@bp.get("/samples")
def samples() -> str | Response:
    """Analyses as the laboratory reported them."""
    places = tuple((place, words) for place, words in PLACES.items())
    return answer_list(
        "quality/samples.html", SAMPLE_COLUMNS, _read_samples, filters=(Filter("place", "Place", places),)
    )


def _read_samples(paging: Paging) -> Page[Any]:
    with reading() as conn:
        rows = list_samples(conn, node().code, paging.wants("place"), "", paging.after, paging.limit)
        pieces = _pieces(conn, [row.material_id for row in rows])
    page = cut(rows, paging, "sample_id")
    shown = [
        {
            "number": row.number,
            "of": _named(pieces.get(row.material_id), row.material_id)["number"],
            "material_id": row.material_id,
            "place": PLACES.get(row.place, row.place),
            "taken_at_ms": row.taken_at_ms,
            "analysed_at_ms": row.analysed_at_ms,
            **{element: row.e6.get(element) for element in ELEMENTS},
        }
        for row in page
    ]
    return Page(shown, page.next)


@bp.get("/holds/<hold_id>")
def hold(hold_id: str) -> str:
    """One hold with its evidence, and what may be decided."""
    with reading() as conn:
        row = find_hold(conn, hold_id)
        if row is None:
            raise NotFound("quality.unknown_hold", "There is no such hold.", todo="Choose one from the list.")
        piece = _pieces(conn, [row.material_id]).get(row.material_id)
        decision = find_decision(conn, row.author, row.decision_id) if row.decision_id else None
        orders = find_orders(conn, node().code, limit=ORDERS_OFFERED)
        again = (
            service.preview_evidence(conn, row, piece) if piece is not None and row.released_at_ms is None else ("", "")
        )
        people = accounts.names_of(conn, [row.placed_by, row.released_by])
    return render_template(
        "quality/hold.html",
        again=again,
        hold=row,
        piece=piece,
        decision=decision,
        people=people,
        inputs=json.loads(decision.inputs) if decision else {},
        words=WORDS,
        dispositions=[(name, WORDS.get(name, name)) for name in DISPOSITIONS],
        orders=[(order.item, f"{order.item} {order.customer}, {order.product}") for order in orders],
        asked=request.args.get("piece", ""),
        ours=row.author == node().code,
    )


@bp.post("/holds/<hold_id>")
@requires("quality")
@forms.keeps_input(hold)
def release(hold_id: str) -> BaseResponse:
    """A person decides; the service asks the rule again where it can."""
    done = service.release_hold(
        plant(),
        service.ReleaseHold(
            forms.command_id(),
            actor(),
            hold_id,
            forms.read_choice("disposition", "Decision", DISPOSITIONS),
            forms.read_text("order_item", "Order", most=64, needed=False),
            forms.read_text("note", "Note", needed=False),
            forms.read_text("only_for", "Only for", most=64, needed=False),
            forms.read_text("piece", "Piece", most=64, needed=False),
        ),
    )
    kept = "It is free now." if done["free"] else "Another hold still stands."
    flash(f"{done['piece']}: {WORDS[done['disposition']].lower()}. {kept}", "done" if done["free"] else "held")
    return redirect(url_for("quality.hold", hold_id=hold_id))


@bp.get("/hold")
@requires("quality", "lead")
def hold_form() -> str:
    """Holding a piece by hand."""
    return render_template("quality/hold_new.html", piece=request.args.get("piece", ""))


@bp.post("/hold")
@requires("quality", "lead")
@forms.keeps_input(hold_form)
def place() -> BaseResponse:
    """Hold it."""
    done = service.place_hold(
        plant(),
        service.PlaceHold(
            forms.command_id(), actor(), forms.read_text("piece", "Piece", most=64), forms.read_text("reason", "Reason")
        ),
    )
    flash(f"{done['piece']} is held. It can be neither charged nor shipped until somebody decides.", "held")
    return redirect(url_for("quality.hold", hold_id=done["hold_id"]))


def _ids(conn: Connection, number: str) -> list[str] | None:
    """Ids a number may mean; None when no number narrows the list."""
    return sorted({row.material_id for row in find_by_number(conn, number)}) if number else None


def _pieces(conn: Connection, ids: list[str]) -> dict[str, Any]:
    """Our own row of each piece, else whoever holds it; of one that is on its way here, what its sender told."""
    rows = rows_of(conn, ids)
    told = {row.material_id for row in rows}
    coming = {piece: _as_told(conn, piece) for piece in ids if piece not in told}
    return coming | first_rows(sorted(rows, key=lambda row: row.author != node().code))


def _as_told(conn: Connection, material_id: str) -> Any:
    piece = find_told_piece(conn, material_id)
    if piece is None:
        return None
    shown = {"number": piece.number, "kind": piece.kind, "grade": piece.grade, "mass_g": piece.mass.g}
    return SimpleNamespace(**shown, order_item=piece.order_item, author="", material_id=material_id)


FEATURE = Feature(
    pages=(bp,),
    apis=(commands,),
    menu=(
        MenuItem("Quality", "Holds", "quality.holds"),
        MenuItem("Quality", "Decisions", "quality.decisions"),
        MenuItem("Quality", "Analyses", "quality.samples"),
    ),
)
