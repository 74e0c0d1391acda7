"""Incidents as pages: the list, one with its evidence, and the acknowledgement by a person; and the header's line."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, url_for
from werkzeug.wrappers import Response as BaseResponse

from shared.db.engine import write
from shared.web.accounts import names_of
from shared.web.context import actor, node, reading, requires
from shared.web.features import Feature, MenuItem, StatusLine
from shared.web.forms import keeps_input, read_text
from shared.web.listing import Column, Filter, answer_list
from shared.web.paging import Page, Paging, cut
from sync import incidents
from sync.alarms import KINDS as LASTING
from sync.line_reads import INCIDENT_SIGNS

bp = Blueprint("incidents", __name__, url_prefix="/incidents", template_folder="templates")

WHO_MAY = ("engineer", "lead", "owner")
STATES = (("open", "Waits for somebody"), ("seen", "Acknowledged or passed"))
COLUMNS = (
    Column("level", "Weight", show="badge"),
    Column("kind_words", "Kind", link="incidents.item", link_key="incident_id", link_arg="incident_id"),
    Column("what", "What"),
    Column("peer", "Node", show="code"),
    Column("at_ms", "Since", show="when"),
    Column("end", "End"),
)


@bp.get("/")
def listing() -> str | Response:
    """What the node noted, the newest first."""
    return answer_list("sync/incidents.html", COLUMNS, _read, filters=(Filter("state", "State", STATES),))


def _read(paging: Paging) -> Page[Any]:
    with reading() as conn:
        rows = incidents.list_incidents(conn, state=paging.wants("state"), after=paging.after, limit=paging.limit)
    return cut([_shown(row) for row in rows], paging, "incident_id")


def _shown(row: Any) -> dict[str, Any]:
    end = "acknowledged" if row.acknowledged_ms else "passed by itself" if row.ended_ms else "waits for somebody"
    words = incidents.KINDS.get(row.kind, row.kind.replace("_", " "))
    return {**row._mapping, "kind_words": words, "level_state": INCIDENT_SIGNS.get(row.level, "normal"), "end": end}


@bp.get("/<incident_id>")
def item(incident_id: str) -> str:
    """One incident with its evidence."""
    with reading() as conn:
        row = incidents.find_incident(conn, incident_id)
        people = names_of(conn, {row.acknowledged_by} if row.acknowledged_by else set())
    return render_template(
        "sync/incident.html",
        row=row,
        words=incidents.KINDS.get(row.kind, row.kind.replace("_", " ")),
        sign=INCIDENT_SIGNS.get(row.level, "normal"),
        people=people,
        who_may=WHO_MAY,
    )


@bp.post("/<incident_id>")
@requires(*WHO_MAY)
@keeps_input(item)
def acknowledge(incident_id: str) -> BaseResponse:
    """A person has seen it and says what they made of it."""
    note = read_text("note", "Note", most=4000)
    with write(node().engine) as conn:
        incidents.acknowledge(conn, node().clock, incident_id, actor(), note)
    flash("The incident is acknowledged; it stays in the list with your note.", "done")
    return redirect(url_for("incidents.listing", state="open"))


def status() -> tuple[StatusLine, ...]:
    """The header's line: nothing while nothing waits for anybody."""
    with reading() as conn:
        rows = incidents.list_open(conn)
    if not rows:
        return ()
    sign = "alarm" if any(row.level == "alarm" for row in rows) else "attention"
    return (
        StatusLine(sign, _said(rows[0]) if len(rows) == 1 else f"{len(rows)} incidents wait for somebody to look."),
    )


def _said(row: Any) -> str:
    """States speak in sentences; what happened once is named by its kind."""
    return str(row.what) if row.kind in LASTING else f"{incidents.KINDS.get(row.kind, row.kind)}: {row.what}"


FEATURE = Feature(pages=(bp,), menu=(MenuItem("Node", "Incidents", "incidents.listing"),))
