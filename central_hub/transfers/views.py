"""Pages of the group's transfers: what is on the way, lanes and scales, the balance; the case desk is in desk_views.py."""

from __future__ import annotations

from flask import Blueprint, Response, render_template, request

from central_hub.transfers import lane_reads, reads
from central_hub.transfers.api import bp as api
from central_hub.transfers.desk_api import bp as desk_api
from central_hub.transfers.desk_views import bp as desk
from shared.transfers.api import bp as reads_api
from shared.transfers.showing import STATE_CHOICES
from shared.web.context import reading
from shared.web.features import Feature, MenuItem
from shared.web.listing import Column, Filter, answer_list, csv_answer

bp = Blueprint("transfers", __name__, url_prefix="/transfers", template_folder="templates")

WAY_COLUMNS = (
    Column("lane_pair", "Lane", show="code", link="transfers.lane", link_arg="name"),
    Column("shipment_number", "Load", show="code"),
    Column("number", "Piece", show="code", link="pieces.piece"),
    Column("vehicle", "Vehicle"),
    Column("carrier", "Carrier"),
    Column("sender_mass_g", "Mass", unit="kg", show="kg", sort=True),
    Column("departed_at_ms", "Left", show="when", sort=True),
    Column("eta_ms", "Expected", show="when", sort=True),
    Column("age_ms", "Time", show="age"),
    Column("timing", "", show="badge"),
    Column("state_words", "State", show="badge"),
)
MORE_COLUMNS = tuple(
    Column(key, key) for key in ("own_number", "grade", "order_item", "receiver_mass_g", "difference_g")
)
"""What the file has beside the page."""
STATES = (*STATE_CHOICES, (reads.ALL, "Everything, also what has ended"))


@bp.get("/")
def lines() -> str | Response:
    """What is on the way as a map and piece by piece."""
    with reading() as conn:
        shown = reads.read_way(conn)
    choices = tuple((lane.lane, lane.lane) for lane in shown["lanes"])
    filters = (
        Filter("q", "Number, load or vehicle"),
        Filter("lane", "Lane", choices),
        Filter("state", "State", STATES),
    )
    columns = (*WAY_COLUMNS, *MORE_COLUMNS) if request.args.get("format") == "csv" else WAY_COLUMNS
    return answer_list("transfers/lines.html", columns, reads.read_lines, filters=filters, **shown)


@bp.get("/lanes")
def lanes() -> str:
    """Figures of all lanes, and what they say about scales."""
    with reading() as conn:
        shown = lane_reads.read_lanes(conn)
    return render_template("transfers/lanes.html", **shown)


@bp.get("/lanes/<name>")
def lane(name: str) -> str:
    """One lane: time, loss, weight difference and their trends."""
    with reading() as conn:
        shown = lane_reads.read_lane(conn, name)
    return render_template("transfers/lane.html", **shown)


@bp.get("/balance")
def balance() -> str | Response:
    """The balance of the last days, by lane."""
    with reading() as conn:
        days = reads.read_fortnight(conn)
    if request.args.get("format") == "csv":
        return csv_answer(reads.BALANCE_COLUMNS, reads.balance_rows(days), "balance")
    chosen = request.args.get("day", type=int)
    return render_template("transfers/balance.html", **reads.chosen_day(days, chosen))


FEATURE = Feature(
    pages=(bp, desk),
    apis=(reads_api, api, desk_api),
    menu=(
        MenuItem("Transfers", "On the way", "transfers.lines"),
        MenuItem("Transfers", "Lanes and scales", "transfers.lanes"),
        MenuItem("Transfers", "Case desk", "case_desk.desk"),
        MenuItem("Transfers", "Balance", "transfers.balance"),
    ),
)
