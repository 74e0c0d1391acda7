"""The recall page: from any number to everything made of it, over all plants and on the way."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, Response, render_template, request

from shared.errors import BadInput
from shared.recall.api import bp as api
from shared.recall.domain import Whereabouts
from shared.recall.lines import stream_answer
from shared.recall.queries import Asked, first_page, steel_of_place
from shared.web.context import face, reading
from shared.web.features import Feature, MenuItem
from shared.web.listing import Column
from shared.web.pieces.views import read_place

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
PART = Column("part", "Part of it")
WORDS = {
    "live": "here",
    "shipped": "on the way",
    "consumed": "used up",
    "scrapped": "scrap",
    "identified": "identified",
}


TOTALS = (
    Column("words", "Where"),
    Column("who", "Whose", show="code"),
    Column("kind", "Kind", show="kind"),
    Column("pieces", "Pieces", show="whole"),
    Column("mass_g", "Mass", unit="t", show="tonnes"),
)
BUCKETS = {"stock": "In stock", "transit": "On the way", "customer": "With customers", "ended": "Used up or scrapped"}


@bp.get("/recall")
def recall() -> str | Response:
    """What became of heats, of a place on a piece, of what a unit made in a time, or of a finding."""
    asked = read_asked()
    if asked is None:
        return render_template("traceability/recall.html", asked=None, found=None)
    if request.args.get("format") == "csv":
        return stream_answer(asked, "csv")
    with reading() as conn:
        found = first_page(conn, asked, group=face().group(conn))
        steel = steel_of_place(conn, asked)
    rows = [_row(piece) for piece in found.pieces]
    return render_template(
        "traceability/recall.html",
        asked=asked,
        found=found,
        steel=steel,
        columns=(*COLUMNS, PART) if asked.is_of_parts else COLUMNS,
        totals=[line._asdict() | {"words": BUCKETS[line.bucket]} for line in found.totals.lines],
        total_columns=TOTALS,
        at_large=[row for row in rows if row["is_at_large"]],
        ended=[row for row in rows if not row["is_at_large"]],
    )


def read_asked() -> Asked | None:
    """The question of the page's address, None when it asks nothing yet."""
    args = {name: value.strip()[:400] for name, value in request.args.items()}
    numbers = tuple(dict.fromkeys(args.get("q", "").replace(",", " ").split()))
    unit, finding = args.get("unit", "")[:64], args.get("finding", "")[:64]
    if not (numbers or unit or finding):
        return None
    places = {name: read_place(f"{name}_mm") for name in ("from", "to", "left", "right")}
    return Asked(
        numbers,
        **{f"{name}_um": value for name, value in places.items()},
        least_share_ppm=_share(args.get("share", "")),
        plant=args.get("plant", "")[:64],
        unit=unit,
        finding=finding,
        from_ms=_moment(args.get("from", "")),
        to_ms=_moment(args.get("to", "")),
    )


def _share(text: str) -> int:
    """A share of the address in ppm, 0 when none is given."""
    try:
        percent = float(text) if text else 0.0
    except ValueError:
        percent = -1.0
    if not 0 <= percent <= 100:
        raise BadInput("recall.share", f"{text!r} is no share.", todo="In per cent, 0 to 100.")
    return round(percent * 10_000)


def _moment(text: str) -> int:
    """A moment of the address in UTC ms, 0 when none is given."""
    try:
        return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000) if text else 0
    except ValueError as error:
        raise BadInput("recall.time", f"{text!r} is no time.", todo="As 2026-03-11T05:00, in UTC.") from error


def _row(piece: Whereabouts) -> dict[str, Any]:
    return {
        "number": piece.number,
        "kind": piece.kind,
        "where": piece.where,
        "mass_g": piece.mass_g,
        "order_item": piece.order_item,
        "depth": piece.depth,
        "is_at_large": piece.is_at_large,
        "part": "; ".join(_part(*part) for part in piece.part),
        "status": "held" if piece.held else WORDS.get(piece.state, piece.state),
        "status_state": "held" if piece.held else "normal" if piece.is_at_large else "done",
    }


def _part(from_um: int, to_um: int, left_um: int | None, right_um: int | None) -> str:
    width = "" if left_um is None or right_um is None else f", {left_um / 1000:,.0f} to {right_um / 1000:,.0f} mm"
    return f"{from_um / 1e6:,.2f} to {to_um / 1e6:,.2f} m{width}"


FEATURE = Feature(pages=(bp,), apis=(api,), menu=(MenuItem("Material", "Recall", "traceability.recall"),))
