"""Pages of Level 2: how the links do, what is to be mended."""

from __future__ import annotations

from typing import Any

import msgspec
from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from local_mes.context import plant
from local_mes.level2 import again, down, queries, service, workbench
from local_mes.level2.api import REPAIRERS
from local_mes.level2.api import bp as api
from local_mes.level2.backlog import get_backlog
from local_mes.level2.certificates import find_link_certificates
from local_mes.level2.errors import still_wrong, unknown_repair
from local_mes.level2.heard import summary
from local_mes.level2.links import load_links
from local_mes.level2.mend_form import leaves, read_form
from local_mes.level2.spool_figures import get_spool_figures
from local_mes.level2.telegrams.broken import blamed, hex_rows, pieces_of
from local_mes.level2.workbench import DOWN_SIGNS
from shared.web.context import actor, reading, requires
from shared.web.features import Feature, MenuItem
from shared.web.forms import command_id, keeps_input, read_text
from shared.web.listing import Column, Filter, answer_list
from shared.web.paging import Page, Paging, cut

bp = Blueprint("level2", __name__, url_prefix="/level2", template_folder="templates")
DOWN_SHOWN, WAITING_SHOWN = 20, 20
RAW_SHOWN = 1_024

REPAIR_COLUMNS = (
    Column("received_ms", "Received", show="when"),
    Column("link", "Link", show="code"),
    Column("message", "Message", show="code", link="level2.repair", link_key="repair_id", link_arg="repair_id"),
    Column("reason", "What is wrong"),
    Column("state", "State", show="badge"),
    Column("closed_ms", "Closed", show="when"),
    Column("note", "Note"),
)
SIGNS = {"open": "attention", "mended": "done", "dismissed": "normal"}
LINK_SIGNS = {"connected": "normal", "no_data": "nodata", "away": "nodata", "stopped": "alarm"}


@bp.get("/links")
def links() -> str:
    """All connections, what waits, what went down; asked for by its own live part it answers with that alone."""
    fragment = request.headers.get("HX-Request") == "true"
    here = plant()
    with reading() as conn:
        waiting = queries.find_waiting(conn, WAITING_SHOWN)
    return render_template(
        "level2/links_live.html" if fragment else "level2/links.html",
        links=queries.find_links(here),
        used=find_link_certificates(here),
        backlog=get_backlog(here),
        spool=get_spool_figures(here),
        waiting=waiting,
        down=down.find_recent(here.spool, DOWN_SHOWN),
        signs=LINK_SIGNS,
        down_signs=DOWN_SIGNS,
        summary=summary,
    )


@bp.get("/repairs")
def repairs() -> str | BaseResponse:
    """Messages that could not be interpreted; those that are open unless the address says otherwise."""
    if "state" not in request.args:
        return redirect(url_for("level2.repairs", state="open", link=request.args.get("link")))
    states = (("open", "open"), ("mended", "mended"), ("dismissed", "dismissed"))
    return answer_list(
        "level2/repairs.html",
        REPAIR_COLUMNS,
        _read_repairs,
        filters=(Filter("state", "State", states), Filter("link", "Link")),
    )


def _read_repairs(paging: Paging) -> Page[Any]:
    with reading() as conn:
        rows = queries.find_repairs(conn, paging.wants("state"), paging.wants("link"), paging.after, paging.limit)
    return cut([{**row._mapping, "state_state": SIGNS[row.state]} for row in rows], paging, "repair_id")


@bp.get("/repairs/<repair_id>")
def repair(repair_id: str) -> str:
    """One message: what came, what is wrong, the form to mend it."""
    here = plant()
    row, plan = _row(repair_id), load_links(here.settings)
    layout = plan.find_layout(row.link, row.message)
    spooled = queries.find_spooled(here, row.spool, row.spool_id)
    raw = bytes(spooled.raw) if spooled else b""
    layouts = plan.layouts.get(row.link)
    pieces = blamed(pieces_of(layouts, raw), row.field, row.reason) if layouts and raw else []
    fields = msgspec.json.decode(row.mended)
    return render_template(
        "level2/repair.html",
        row=row,
        raw=raw,
        rows=hex_rows(raw[:RAW_SHOWN], pieces),
        mapping=plan.links[row.link].mapping if row.link in plan.links else "",
        title=layout.title if layout else row.message,
        sign=SIGNS[row.state],
        leaves=leaves(fields, layout, row.field),
        may_mend=row.state == "open",
        repairers=REPAIRERS,
    )


@bp.post("/repairs/<repair_id>")
@requires(*REPAIRERS)
@keeps_input(repair)
def mend(repair_id: str) -> BaseResponse:
    """Mend its values, interpret it again as received, or dismiss it."""
    here, command = plant(), command_id()
    if "dismiss" in request.form:
        reason = read_text("note", "Reason")
        service.dismiss(here, repair_id, reason, actor=actor(), command_id=command)
        flash("The message was dismissed; it stays in the spool.", "done")
        return redirect(url_for("level2.repairs"))
    note = read_text("note", "Note", needed=False)
    if "again" in request.form:
        done = again.interpret_again(here, repair_id, actor=actor(), command_id=command, note=note)
    else:
        fields = _typed(msgspec.json.decode(_row(repair_id).mended))
        done = service.mend(here, repair_id, fields, actor=actor(), command_id=command, note=note)
    followed = again.let_followers_go(here, actor=actor()).mended
    more = f" {followed} that waited for it went through too." if followed else ""
    flash(f"The message was interpreted: {done['facts']} facts recorded.{more}", "done")
    return redirect(url_for("level2.repairs"))


def _row(repair_id: str) -> Any:
    with reading() as conn:
        row = queries.find_repair(conn, repair_id)
    if row is None:
        raise unknown_repair(repair_id)
    return row


def _typed(fields: dict[str, Any]) -> dict[str, Any]:
    """What was typed: single values, or the whole as JSON where the message could not be read at all."""
    text = request.form.get("json", "").strip()
    if not text:
        return read_form(request.form, fields)
    try:
        return msgspec.json.decode(text, type=dict[str, Any])
    except (msgspec.DecodeError, RecursionError) as error:
        raise still_wrong(f"The fields are no JSON object: {error}.") from error


FEATURE = Feature(
    pages=(bp, workbench.bp),
    apis=(api,),
    menu=(
        MenuItem("Node", "Level 2 links", "level2.links"),
        MenuItem("Node", "Repairs", "level2.repairs", REPAIRERS),
    ),
)
