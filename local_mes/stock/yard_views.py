"""The yard map: a picture of each storage, what lies in a chosen stack, and the clocks of hot pieces."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from local_mes.context import plant
from local_mes.stock import yard_domain as rules_of
from local_mes.stock.yard_api import bp as api
from local_mes.stock.yard_api import get_storage, read_shift
from local_mes.stock.yard_domain import Lying
from local_mes.stock.yard_picture import STATE_WORDS, WIDTH, draw
from local_mes.stock.yard_plan import WIDTH as PLAN_WIDTH
from local_mes.stock.yard_plan import draw_plan
from local_mes.stock.yard_reads import Yard
from shared.material.queries import find_by_number
from shared.web.context import reading
from shared.web.features import Feature, MenuItem

bp = Blueprint("yard", __name__, url_prefix="/yard", template_folder="templates")
CLOCKS_SHOWN = 12


@bp.get("/")
def yards() -> str | BaseResponse:
    """All storages from above, ?find= shows a piece; a plant with one opens it, one without is told how to describe it."""
    here = plant()
    now, storages = here.clock.now_ms(), here.model.storage
    if not storages:
        return render_template("stock/yard_none.html")
    if len(storages) == 1:
        return redirect(url_for("yard.yard", code=storages[0].code))
    wanted = request.args.get("find", "").strip()[:64]
    with reading() as conn:
        shown = [read_shift(conn, here, rules, now) for rules in storages]
        found = {row.material_id for row in find_by_number(conn, wanted, here.code)} if wanted else set()
    pieces = [piece for one in shown for piece in one.pieces]
    return render_template(
        "stock/yard_plan.html",
        plans=[draw_plan(one, now, found) for one in shown],
        width=PLAN_WIDTH,
        pieces=pieces,
        faulty=sum(bool(stack.faults) for one in shown for stack in one.stacks),
        wanted=wanted,
        hit=next((piece for piece in pieces if piece.material_id in found), None),
    )


@bp.get("/<code>")
def yard(code: str) -> str:
    """The picture of a storage; ?stack=3-5 opens a stack, ?find= shows a piece by any of its numbers."""
    here = plant()
    now, rules = here.clock.now_ms(), get_storage(here, code)
    wanted = request.args.get("find", "").strip()[:64]
    with reading() as conn:
        shown = read_shift(conn, here, rules, now)
        found = {row.material_id for row in find_by_number(conn, wanted, here.code)} if wanted else set()
    hit = next((piece for piece in shown.pieces if piece.material_id in found), None)
    spot = _chosen(code, hit)
    return render_template(
        "stock/yard.html",
        yard=shown,
        picture=draw(shown, now, spot, found),
        width=WIDTH,
        storages=here.model.storage,
        chosen=spot,
        stack=shown.find_stack(*spot) if spot else None,
        wanted=wanted,
        hit=hit,
        clocks=hot_charge(shown, now)[:CLOCKS_SHOWN],
        thermal=lambda piece: STATE_WORDS[rules_of.thermal(piece, rules, now)],
        hours=lambda piece: rules_of.hours(piece, now),
    )


def _chosen(code: str, hit: Lying | None) -> tuple[int, int] | None:
    """Row and stack of the address, else of the piece that was looked for."""
    row, _, stack = request.args.get("stack", "").partition("-")
    if row.isdigit() and stack.isdigit():
        return int(row[:3]), int(stack[:3])
    place = hit.place if hit else ""
    spot = rules_of.find_spot(place, [storage for storage in plant().model.storage if storage.code == code])
    return (spot.row, spot.stack) if spot and spot.stack else None


def hot_charge(shown: Yard, now_ms: int) -> list[tuple[Lying, float]]:
    """Pieces that can still be charged hot with the hours left, the most urgent first."""
    left = [(piece, rules_of.hot_charge_left_h(piece, shown.rules, now_ms)) for piece in shown.pieces]
    return sorted(
        ((piece, h) for piece, h in left if h is not None and h > 0), key=lambda item: (item[1], item[0].number)
    )


FEATURE = Feature(pages=(bp,), apis=(api,), menu=(MenuItem("Material", "Yard map", "yard.yards"),))
