"""The workbench of one link: its state and history, what it says now, each message in bytes, the interface document."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec
from flask import Blueprint, Response, render_template, request
from sqlalchemy import select

from local_mes.context import plant
from local_mes.level2 import down, queries
from local_mes.level2.drivers.port import read_settings
from local_mes.level2.errors import not_a_telegram_link, unknown_message, unknown_refused
from local_mes.level2.heard import as_shown, find_link, find_messages, summary
from local_mes.level2.interface import make_document
from local_mes.level2.link_course import GAP, RESTART, Entry, Span, spans
from local_mes.level2.link_state import find_history
from local_mes.level2.links import LinkPlan, load_links
from local_mes.level2.refused import find_one_refused, find_refused
from local_mes.level2.spool_tables import message
from local_mes.level2.telegram_server import TelegramSettings
from local_mes.level2.telegrams.broken import hex_rows, pieces_of
from local_mes.level2.telegrams.codec import FormatError
from local_mes.level2.telegrams.spots import Spot, spots
from local_mes.plant import Plant
from shared.clock import to_datetime
from shared.db.engine import read
from shared.web.context import reading

bp = Blueprint("workbench", __name__, url_prefix="/level2", template_folder="templates")
HOUR_MS = 3_600_000
HOURS = (1, 8, 24, 168)
MESSAGES_SHOWN, ENTRIES_SHOWN, REFUSED_SHOWN = 25, 30, 10
SENT_SHOWN = 10
DOWN_SIGNS = {"queued": "normal", "sent": "normal", "confirmed": "done", "refused": "attention"}
STRIP_WIDTH = 1000
SIGNS = {"connected": "normal", "no_data": "nodata", "away": "nodata", "stopped": "alarm", "gap": "alarm"} | {
    "restart": "attention",
    "stranger": "attention",
}


@dataclass(frozen=True)
class Stretch:
    """A span or a gap on the strip: where it is drawn, from 0 to STRIP_WIDTH, and its words."""

    x: float
    width: float
    span: Span


@bp.get("/links/<code>")
def link(code: str) -> str:
    """One link; asked for by its own live part it answers with that alone."""
    here = plant()
    plan = load_links(here.settings)
    hours = request.args.get("hours", 24, type=int)
    shown = {
        "link": find_link(plan, code),
        "hours": hours if hours in HOURS else 24,
        "choices": HOURS,
        "signs": SIGNS,
        "state": next((view for view in queries.find_links(here) if view.link == code), None),
        "is_telegram": code in plan.layouts,
        **_history(here, code, hours if hours in HOURS else 24),
        "messages": find_messages(here, plan, code, MESSAGES_SHOWN),
        "sent": down.find_recent(here.spool, SENT_SHOWN, links=(code,)),
        "down_signs": DOWN_SIGNS,
        "summary": summary,
        "refused": find_refused(here.spool, code, REFUSED_SHOWN),
    }
    fragment = request.headers.get("HX-Request") == "true"
    return render_template("level2/link_live.html" if fragment else "level2/link.html", **shown)


def _history(here: Plant, code: str, hours: int) -> dict[str, Any]:
    now = here.clock.now_ms()
    begin = now - hours * HOUR_MS
    entries = find_history(here.spool, code, begin, now + 1)
    scale = STRIP_WIDTH / (now - begin)
    breaks = [entry for entry in entries if entry.kind in (GAP, RESTART) and entry.at_ms >= begin]
    return {
        "stretches": [
            Stretch((s.from_ms - begin) * scale, max(((s.to_ms or now) - s.from_ms) * scale, 1), s)
            for s in spans(entries, begin, now)
        ],
        "breaks": [((entry.at_ms - begin) * scale, entry) for entry in breaks],
        "ticks": [(i * STRIP_WIDTH / 6, begin + i * (now - begin) // 6) for i in range(1, 6)],
        "entries": _newest(entries, begin),
    }


def _newest(entries: list[Entry], begin: int) -> list[Entry]:
    return [entry for entry in reversed(entries) if entry.at_ms >= begin][:ENTRIES_SHOWN]


@bp.get("/messages/<int:spool_id>")
def spooled(spool_id: int) -> str:
    """One message as it was received: bytes, and what each of them says."""
    here = plant()
    with read(here.spool) as conn:
        row = conn.execute(select(message).where(message.c.spool_id == spool_id)).first()
    if row is None:
        raise unknown_message(spool_id)
    plan = load_links(here.settings)
    found, why = _spots(plan, row)
    raw = bytes(row.raw)
    pieces = pieces_of(plan.layouts[row.link], raw) if why else []
    with reading() as conn:
        repairs = queries.find_repairs_of(conn, row.link, spool_id)
    return render_template(
        "level2/message.html",
        row=row,
        shown=as_shown(plan, row),
        spots=found,
        why=why,
        fields=msgspec.json.format(row.fields, indent=2),
        pieces=pieces,
        rows=hex_rows(raw, pieces),
        repairs=repairs,
    )


@bp.get("/refused/<int:refused_id>")
def refused(refused_id: int) -> str:
    """One telegram that was not taken: its bytes, what can be read of them, the field at fault."""
    here = plant()
    row = find_one_refused(here.spool, refused_id)
    if row is None:
        raise unknown_refused(refused_id)
    layouts, raw = load_links(here.settings).layouts.get(row.link), bytes(row.raw)
    pieces = pieces_of(layouts, raw) if layouts else []
    return render_template("level2/refused.html", row=row, pieces=pieces, rows=hex_rows(raw, pieces))


def _spots(plan: LinkPlan, row: Any) -> tuple[list[Spot], str]:
    layouts = plan.layouts.get(row.link)
    if layouts is None:
        return [], ""
    try:
        return spots(layouts, bytes(row.raw)), ""
    except FormatError as error:
        return [], str(error)


@bp.get("/links/<code>/interface")
def interface(code: str) -> str:
    """The interface document, one page a telegram."""
    return render_template("level2/interface.html", **_document(code))


@bp.get("/links/<code>/interface.<any(pdf, html):form>")
def interface_file(code: str, form: str) -> Response:
    """The same as a file to hand to the supplier: complete in itself, nothing of the console around it."""
    shown = _document(code)
    if form == "html":
        answer = Response(render_template("level2/interface_file.html", **shown), mimetype="text/html")
    else:
        from local_mes.level2.interface_pdf import make_pdf

        answer = Response(make_pdf(shown["document"], shown["zone"], shown["made"]), mimetype="application/pdf")
    answer.headers.set("Content-Disposition", "attachment", filename=f"{code}.{form}")
    return answer


def _document(code: str) -> dict[str, Any]:
    here = plant()
    plan = load_links(here.settings)
    found = find_link(plan, code)
    if code not in plan.layouts:
        raise not_a_telegram_link(code)
    made = make_document(found, read_settings(found, TelegramSettings), plan.layouts[code])
    now = to_datetime(here.clock.now_ms()).astimezone(plan.zone)
    return {"document": made, "link": found, "zone": plan.zone.key, "made": f"{now:%Y-%m-%d %H:%M}"}
