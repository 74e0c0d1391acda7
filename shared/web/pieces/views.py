"""Search, piece and trace: the same pages at plant and hub, over all authors the node knows."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, redirect, render_template, request, url_for
from sqlalchemy import Connection
from werkzeug.wrappers import Response as AnyResponse

from shared.errors import BadInput
from shared.material import queries as material
from shared.material.queries import MaterialFilter
from shared.material.search import CUTS, find_by_part
from shared.material.trace import Trace, trace
from shared.material.way_trace import operations_in, with_way
from shared.quality.queries import held_ids
from shared.web.context import face, node, reading
from shared.web.features import Feature, MenuItem
from shared.web.listing import Column, Filter, answer_list
from shared.web.paging import Page, Paging
from shared.web.pieces.custody import draw_custody
from shared.web.pieces.drawing import WIDTH, draw
from shared.web.pieces.export import api as export_api
from shared.web.pieces.graph import build, links_of
from shared.web.pieces.reads import read_sheet
from shared.web.pieces.scene import read_scene

bp = Blueprint("pieces", __name__, template_folder="templates")
FOUND_MAX = 25
OPENED_MAX = 20
METRES_MAX = 50_000
PLACE_MAX_MM = METRES_MAX * 1000

COLUMNS = (
    Column("number", "Number", show="code", link="pieces.piece", link_key="material_id"),
    Column("author", "Plant"),
    Column("kind", "Kind", show="kind"),
    Column("grade", "Grade"),
    Column("mass_g", "Mass", unit="kg", show="kg"),
    Column("thickness_um", "Thickness", unit="mm", show="mm"),
    Column("width_um", "Width", unit="mm", show="mm"),
    Column("length_um", "Length", unit="m", show="metres"),
    Column("order_item", "Order"),
    Column("place", "Place"),
    Column("status", "State", show="badge"),
    Column("born_at_ms", "Made", show="when"),
)
KINDS = (("heat", "Heats"), ("slab", "Slabs"), ("coil", "Coils"), ("slit", "Slit coils"))
STATES = (("live", "Here"), ("shipped", "Shipped"), ("consumed", "Used up"), ("scrapped", "Scrapped"))


def address(number: str, **place: Any) -> str:
    """The trace page of a piece, with a place on it."""
    return url_for("pieces.trace_page", number=number, **{k: v for k, v in place.items() if v is not None})


@bp.get("/search")
def search() -> str | AnyResponse:
    """One box for any number on any label: one hit is shown at once, several are offered."""
    q = request.args.get("q", "").strip()[:64]
    if not q:
        return render_template("pieces/search.html", q=q, found=[], like=[])
    with reading() as conn:
        exact = material.find_by_number(conn, q)
        like, _ = ((), None) if exact else material.list_materials(conn, MaterialFilter(q=q), limit=FOUND_MAX)
        cut = "" if exact else CUTS[find_by_part(conn, q).cut]
    ids = {row.material_id for row in exact}
    if len(ids) == 1:
        return redirect(url_for("pieces.piece", number=q))
    return render_template("pieces/search.html", q=q, found=exact, like=like, cut=cut)


@bp.get("/pieces")
def pieces() -> str | Response:
    """All pieces, by kind, state, place and part of a number."""
    filters = (
        Filter("q", "Number"),
        Filter("kind", "Kind", KINDS),
        Filter("state", "State", STATES),
        Filter("grade", "Grade"),
        Filter("place", "Place"),
        Filter("order_item", "Order"),
        *((Filter("author", "Plant"),) if face().kind == "hub" else ()),
    )
    return answer_list("pieces/list.html", COLUMNS, read_pieces, filters=filters)


def read_pieces(paging: Paging) -> Page[dict[str, Any]]:
    """One page of pieces; a hold goes before the state, because it is what matters."""
    wanted = MaterialFilter(**{name: paging.wants(name) for name in MaterialFilter.__slots__})
    with reading() as conn:
        rows, cursor = material.list_materials(conn, wanted, paging.after, paging.limit)
        held = held_ids(conn, [row.material_id for row in rows])
    return Page([{**row._mapping, **status_of(row, held)} for row in rows], cursor)


def status_of(row: Any, held: set[str]) -> dict[str, str]:
    """The state column of a piece."""
    if row.state == "live" and row.material_id in held:
        return {"status": "held", "status_state": "held"}
    words = {"live": "here", "consumed": "used up"}.get(row.state, row.state)
    return {"status": words, "status_state": "normal" if row.state in ("live", "shipped") else "done"}


@bp.get("/piece/<number>")
def piece(number: str) -> str:
    """Everything known of one piece."""
    with reading() as conn:
        found = material.get_piece(conn, number)
        others = [r for r in material.find_by_number(conn, number) if r.material_id != found.material_id]
        sheet = read_sheet(conn, found.material_id)
        parts = [part for port in face().parts if (part := port(conn, sheet.row)) is not None]
    stretches = draw_custody(sheet.stands, node().clock.now_ms())
    return render_template(
        "pieces/piece.html", sheet=sheet, asked=number, others=others, stretches=stretches, parts=parts
    )


@bp.get("/trace/<number>")
def trace_page(number: str) -> str:
    """What a piece came from: graph, strip to scale, and the same as a table."""
    at_um, left_um = read_place("at_mm"), read_place("left_mm")
    with reading() as conn:
        found = material.get_piece(conn, number)
        scene = read_scene(conn, found.material_id, at_um, left_um, address)
        forward = trace(conn, found.material_id, "forward")
        both = with_way(conn, trace(conn, found.material_id, "both"))
        held = held_ids(conn, [row.material_id for row in (*both.rows, *scene.back.rows, *forward.rows)])
        drawing, count = drawn_graph(conn, both, held)
    return render_template(
        "pieces/trace.html",
        drawing=drawing,
        count=count,
        width=WIDTH,
        toggled=toggled,
        scene=scene,
        row=scene.steps[0].row,
        asked=number,
        at_um=at_um,
        left_um=left_um,
        offspring=offspring(forward),
        held=held,
        address=address,
    )


def drawn_graph(conn: Connection, both: Trace, held: set[str]) -> Any:
    """The graph with what the address opens, drawn."""
    graph = build(both, operations_in(conn, both), held, opened())
    return draw(graph), graph.pieces


def opened() -> list[str]:
    """Codes of the boxes that the address opens."""
    return [code[:8] for code in request.args.getlist("open")][:OPENED_MAX]


def toggled(code: str) -> str:
    """The address of this page with one box opened, or folded again."""
    now = opened()
    codes = [one for one in now if one != code] if code in now else [*now, code]
    kept = [(name, value) for name, value in request.args.items(multi=True) if name != "open"]
    return f"{request.path}?{urlencode([*kept, *(('open', one) for one in codes)])}#graph"


def offspring(forward: Any) -> list[Any]:
    """Rows of everything the piece became, in the order of the route."""
    order = {link.child: n for n, link in enumerate(links_of(forward))}
    rows = {row.material_id: row for row in reversed(forward.rows) if row.material_id in order}
    return sorted(rows.values(), key=lambda row: (row.born_at_ms, row.number))


def read_place(name: str) -> int | None:
    """A distance of the address in mm, as um; None when it is not given."""
    text = request.args.get(name, "").strip().replace(",", "")
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= PLACE_MAX_MM:
        raise BadInput("pieces.place", f"{name}={text} is no place on a piece.", todo=f"Use 0 to {PLACE_MAX_MM:,} mm.")
    return round(value * 1000)


FEATURE = Feature(pages=(bp,), apis=(export_api,), menu=(MenuItem("Material", "Pieces", "pieces.pieces"),))
