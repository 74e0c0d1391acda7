"""Pages of counting: stock-takes by area, and goods that are no steel pieces."""

from __future__ import annotations

import csv
import io

from flask import Blueprint, Response, current_app, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from local_mes.context import plant
from local_mes.stock import goods, takes
from local_mes.stock.service import Command, places_of
from local_mes.stock.take_api import COUNTERS
from local_mes.stock.take_api import bp as api
from shared.errors import BadInput
from shared.stock.facts import GOODS_KINDS, GoodsDescribed
from shared.stock.queries import bookings_of, closed_takes, differences_of, list_goods, open_takes, quantities
from shared.web.context import actor, reading, requires
from shared.web.features import Feature, MenuItem
from shared.web.forms import command_id, find_number, keeps_input, read_choice, read_number, read_text
from shared.web.listing import plain_cell

bp = Blueprint("counts", __name__, url_prefix="/counts", template_folder="templates")
CLOSED_SHOWN, BOOKINGS_SHOWN = 20, 25
UNITS = {"g": ("kg", 1000), "pieces": ("pieces", 1)}
"""Unit of the books -> unit and factor on pages."""
NUMBER_MAX = 10_000_000


@bp.get("/")
def counts() -> str:
    """Counts that go on, the last ones, and opening one."""
    here = plant()
    with reading() as conn:
        going, over = open_takes(conn, here.code), closed_takes(conn, here.code, CLOSED_SHOWN)
    return render_template("stock/takes.html", going=going, over=over, areas=sorted(places_of(here.model)))


@bp.post("/open")
@requires(*COUNTERS)
@keeps_input(counts)
def open_count() -> BaseResponse:
    """Begin."""
    made = takes.open_take(plant(), _command(), read_text("area", "Area", most=16))
    return redirect(url_for("counts.take", take_id=made["take_id"]))


@bp.get("/<take_id>")
def take(take_id: str) -> str:
    """Count, see what does not agree, post it."""
    here = plant()
    with reading() as conn:
        state = takes.read_take(conn, here, take_id)
        posted = differences_of(conn, here.code, take_id)
    return render_template("stock/take.html", state=state, take=state.take, posted=posted)


@bp.get("/<take_id>/list.csv")
def count_list(take_id: str) -> Response:
    """What is expected, to be counted on paper or by another program; its two columns can be handed in again."""
    with reading() as conn:
        state = takes.read_take(conn, plant(), take_id)
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["number", "place"])
    for piece in sorted(state.expected, key=lambda one: (one.place, one.number)):
        writer.writerow([plain_cell(piece.number), plain_cell(piece.place)])
    answer = current_app.response_class(out.getvalue(), mimetype="text/csv")
    answer.headers["Content-Disposition"] = f'attachment; filename="count-{state.take.area}.csv"'
    return answer


@bp.post("/<take_id>/count")
@requires(*COUNTERS)
@keeps_input(take)
def count(take_id: str) -> BaseResponse:
    """One number with its place, or many lines of a file."""
    lines = read_lines(request.form.get("lines", ""))
    sent = request.files.get("file")
    if sent and sent.filename:
        lines += read_lines(sent.read().decode("utf-8-sig", "replace"))
    if number := request.form.get("number", "").strip():
        lines.append((number, request.form.get("place", "").strip()))
    if not 0 < len(lines) <= takes.LINES_MAX:
        what = f"{len(lines)} lines were handed in."
        raise BadInput("form.lines", what, todo=f"Give 1 to {takes.LINES_MAX} lines of number and place.")
    told = takes.count(plant(), _command(), take_id, lines)
    flash(f"{told['counted']} counted.", "done")
    return redirect(url_for("counts.take", take_id=take_id))


@bp.post("/<take_id>/close")
@requires("lead", "engineer")
@keeps_input(take)
def close(take_id: str) -> BaseResponse:
    """Post the differences, or drop the count."""
    reason = read_text("reason", "Reason", needed=False)
    if request.form.get("drop"):
        takes.drop_take(plant(), _command(), take_id, reason)
        flash("The count is dropped; nothing was posted.", "attention")
        return redirect(url_for("counts.counts"))
    reasons = {name[7:]: text for name, text in request.form.items() if name.startswith("reason-") and text.strip()}
    shown = int(read_text("shown", "Differences", most=6))
    told = takes.close_take(plant(), _command(), take_id, reason, reasons, shown)
    flash(f"Posted: {told['missing']} missing, {told['found']} found, {told['elsewhere']} elsewhere.", "done")
    return redirect(url_for("counts.take", take_id=take_id))


def read_lines(text: str) -> list[tuple[str, str]]:
    """Lines of number and place, with comma, semicolon or tab between; a head line `number` is skipped."""
    lines = []
    for line in text.splitlines():
        number, _, place = line.replace(";", ",").replace("\t", ",").partition(",")
        if number.strip() and number.strip().lower() != "number":
            lines.append((number.strip().strip('"'), place.strip().strip('"')))
    return lines


@bp.get("/goods")
def goods_page() -> str:
    """What is kept, how much, where; booking it."""
    here = plant()
    with reading() as conn:
        rows = list_goods(conn, here.code)
        lying = quantities(conn, here.code, [row.item for row in rows])
        last = bookings_of(conn, here.code, "", BOOKINGS_SHOWN)
    units = {row.item: row.unit for row in rows}
    return render_template(
        "stock/goods.html",
        rows=rows,
        lying=lying,
        last=last,
        units=units,
        words=goods.in_words,
        places=sorted(places_of(here.model)),
    )


@bp.post("/goods/describe")
@requires(*COUNTERS)
@keeps_input(goods_page)
def describe() -> BaseResponse:
    """A new item, or an item described anew."""
    unit = read_choice("unit", "Unit", UNITS)
    least = find_number("least", "Order below", least=0, most=NUMBER_MAX, unit=UNITS[unit][0], scale=UNITS[unit][1])
    said = GoodsDescribed(
        item=read_text("item", "Item", most=64),
        name=read_text("name", "Name", most=200),
        kind=read_choice("kind", "Kind", GOODS_KINDS),
        unit=unit,
        least=least or 0,
    )
    goods.describe(plant(), _command(), said)
    flash(f"{said.item} is kept.", "done")
    return redirect(url_for("counts.goods_page"))


@bp.post("/goods/book")
@requires(*COUNTERS, "operator")
@keeps_input(goods_page)
def book() -> BaseResponse:
    """A receipt, an issue, a count."""
    item = read_text("item", "Item", most=64)
    with reading() as conn:
        unit = goods.get_goods(conn, plant(), item).unit
    shown, factor = UNITS[unit]
    quantity = read_number("quantity", "Quantity", least=0, most=NUMBER_MAX, unit=shown, scale=factor)
    booking = goods.Booking(
        item,
        read_text("place", "Place", most=64),
        read_choice("booking", "What", goods.BOOKINGS),
        quantity,
        read_text("reference", "Reference", most=200, needed=False),
        read_text("reason", "Reason", needed=False),
    )
    told = goods.book(plant(), _command(), booking)
    flash(f"{booking.place} now has {goods.in_words(told['balance'], unit)} of {item}.", "done")
    return redirect(url_for("counts.goods_page"))


def _command() -> Command:
    return Command(command_id(), actor())


FEATURE = Feature(
    pages=(bp,),
    apis=(api,),
    menu=(MenuItem("Material", "Stock-take", "counts.counts"), MenuItem("Material", "Goods", "counts.goods_page")),
)
