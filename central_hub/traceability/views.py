"""The recall page: from any number to everything made of it, over all plants and on the way."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, render_template, request

from central_hub.traceability.api import bp as api
from central_hub.traceability.domain import Whereabouts
from central_hub.traceability.queries import read_recall
from shared.web.context import reading
from shared.web.features import Feature, MenuItem
from shared.web.listing import Column, csv_answer

bp = Blueprint("traceability", __name__, template_folder="templates")
COLUMNS = (
    Column("number", "Piece", show="code", link="pieces.piece"),
    Column("kind", "Kind", show="kind"),
    Column("where", "Where it is now"),
    Column("mass_g", "Mass", unit="kg", show="kg"),
    Column("order_item", "Order item", show="code"),
    Column("depth", "Steps away", show="whole"),
    Column("status", "State", show="badge"),
)
WORDS = {
    "live": "here",
    "shipped": "on the way",
    "consumed": "used up",
    "scrapped": "scrap",
    "identified": "identified",
}


@bp.get("/recall")
def recall() -> str | Response:
    """What became of a piece. Without a number the page asks for one."""
    number = request.args.get("q", "").strip()[:64]
    if not number:
        return render_template("traceability/recall.html", number="", found=None, columns=COLUMNS)
    with reading() as conn:
        found = read_recall(conn, number)
    rows = [_row(piece) for piece in found.pieces]
    if request.args.get("format") == "csv":
        return csv_answer(COLUMNS, iter(rows), f"recall-{found.number}")
    return render_template(
        "traceability/recall.html",
        number=number,
        found=found,
        columns=COLUMNS,
        at_large=[row for row in rows if row["is_at_large"]],
        ended=[row for row in rows if not row["is_at_large"]],
    )


def _row(piece: Whereabouts) -> dict[str, Any]:
    return {
        "number": piece.number,
        "kind": piece.kind,
        "where": piece.where,
        "mass_g": piece.mass_g,
        "order_item": piece.order_item,
        "depth": piece.depth,
        "is_at_large": piece.is_at_large,
        "status": "held" if piece.held else WORDS.get(piece.state, piece.state),
        "status_state": "held" if piece.held else "normal" if piece.is_at_large else "done",
    }


FEATURE = Feature(pages=(bp,), apis=(api,), menu=(MenuItem("Material", "Recall", "traceability.recall"),))
