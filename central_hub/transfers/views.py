"""Pages of the group's transfers: lanes, what is on the way, the daily balance; the case desk is in desk_views.py."""

from __future__ import annotations

from flask import Blueprint, Response, render_template

from central_hub.transfers import reads
from central_hub.transfers.api import bp as api
from central_hub.transfers.desk_views import bp as desk
from shared.transfers.api import bp as reads_api
from shared.transfers.showing import LINE_COLUMNS, STATE_CHOICES
from shared.web.context import reading
from shared.web.features import Feature, MenuItem
from shared.web.listing import Column, Filter, answer_list

bp = Blueprint("transfers", __name__, url_prefix="/transfers", template_folder="templates")

GROUP_COLUMNS = (
    Column("lane_pair", "Lane"),
    Column("shipment_number", "Load", show="code"),
    *LINE_COLUMNS,
    Column("departed_at_ms", "Left", show="when"),
    Column("received_at_ms", "Received", show="when"),
)


@bp.get("/")
def lines() -> str | Response:
    """Every piece between two plants, and what is on the way on each lane."""
    with reading() as conn:
        lanes = reads.read_today(conn)
    choices = tuple((lane.lane, lane.lane) for lane in lanes)
    filters = (Filter("q", "Number or load"), Filter("lane", "Lane", choices), Filter("state", "State", STATE_CHOICES))
    return answer_list("transfers/lines.html", GROUP_COLUMNS, reads.read_lines, filters=filters, lanes=lanes)


@bp.get("/balance")
def balance() -> str:
    """The day's balance of each lane."""
    with reading() as conn:
        lanes = reads.read_today(conn)
    return render_template("transfers/balance.html", lanes=lanes)


FEATURE = Feature(
    pages=(bp, desk),
    apis=(reads_api, api),
    menu=(
        MenuItem("Transfers", "On the way", "transfers.lines"),
        MenuItem("Transfers", "Case desk", "case_desk.desk"),
        MenuItem("Transfers", "Balance", "transfers.balance"),
    ),
)
