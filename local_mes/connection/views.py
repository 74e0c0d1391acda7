"""The connection to the hub in plain words: what is held by whom, what waits, over which route, how the line did."""

from __future__ import annotations

from typing import Any, cast

from flask import Blueprint, Flask, current_app, flash, redirect, render_template, request, url_for
from sqlalchemy import Connection
from werkzeug.wrappers import Response as BaseResponse

from local_mes.context import plant
from local_mes.plant import Plant
from local_mes.standards.service import trust_state
from shared.disk import look
from shared.errors import Unavailable
from shared.web.context import reading
from shared.web.features import Feature, MenuItem
from shared.web.formats import clock_time
from sync import incidents
from sync.epoch_tree import height, read_tree
from sync.line_charts import SPANS, read_charts, words_of
from sync.line_reads import INCIDENT_SIGNS, RouteRow, route_rows, stream_received, stream_written
from sync.link import report_link, time_floor
from sync.lookout import Lookout
from sync.peers import Peer, list_peers
from sync.understanding import list_lacking
from sync.waiting import read_waiting

bp = Blueprint("connection", __name__, url_prefix="/connection", template_folder="templates")
EXTENSION = "strandline.lookout"


def install_lookout(app: Flask, lookout: Lookout) -> None:
    """Let the page show the routes as they are now, and have `sync now` do something."""
    app.extensions[EXTENSION] = lookout


@bp.get("/")
def page() -> str:
    """Everything about the line to the hub."""
    here = plant()
    with reading() as conn:
        peers = list_peers(conn)
        if not peers:
            return render_template("connection/alone.html", routes=here.settings.routes)
        shown = _read(conn, here, peers[0])
    routes, why = _routes(here)
    return render_template("connection/line.html", **shown, routes=routes, why=why)


@bp.post("/sync-now")
def sync_now() -> BaseResponse:
    """End all waits: measure the routes and exchange at once."""
    lookout = _find_lookout()
    if lookout is None:
        raise Unavailable("connection.no_exchange", "This process does not exchange with the hub.", todo="Start it.")
    lookout.sync_now()
    flash("Asked the hub now. What waits goes as soon as a route answers.", "done")
    return redirect(url_for("connection.page", span=request.form.get("span") or None))


def _read(conn: Connection, here: Plant, hub: Peer) -> dict[str, Any]:
    now, zone = here.clock.now_ms(), here.model.plant.zone
    charts = read_charts(conn, hub.code, now, request.args.get("span", "day"), zone, here.settings.sync)
    twigs = read_tree(conn, here.code, hub.code)
    line = report_link(conn, here.code, hub.code)
    return {
        "hub": hub.code,
        "line": line,
        "waits": read_waiting(conn, here.code, hub.code),
        "floor_ms": time_floor(conn),
        "written": stream_written(conn, here.code, here.code, hub.code),
        "received": stream_received(conn, f"{hub.code}>{here.code}", hub.code, here.code),
        "lacking": list_lacking(conn, hub.code, here.code),
        "charts": charts,
        "words": words_of(charts.drawn, charts.span),
        "span_links": [(key, label, url_for("connection.page", span=key)) for key, label in SPANS.items()],
        "sync": here.settings.sync,
        "twigs": twigs,
        "tree_height": height(twigs),
        "plain": lambda at_ms: clock_time(at_ms, now, zone),
        "incidents": incidents.list_open(conn),
        "signs": INCIDENT_SIGNS,
        "kinds": incidents.KINDS,
        "trust": trust_state(conn, here),
        "disk": look(here.settings.folder),
    }


def _routes(here: Plant) -> tuple[list[RouteRow], str]:
    """As the running exchange sees them; as configured where none runs in this process."""
    lookout = _find_lookout()
    if lookout is None or lookout.transport is None:
        return [RouteRow(route.name, route.url, route.priority, None, None) for route in here.settings.routes], ""
    return route_rows([state.sight() for state in lookout.transport.states()]), lookout.transport.why()


def _find_lookout() -> Lookout | None:
    return cast("Lookout | None", current_app.extensions.get(EXTENSION))


FEATURE = Feature(pages=(bp,), menu=(MenuItem("Node", "Connection", "connection.page"),))
