"""Links and repairs as JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Literal

import msgspec
from flask_openapi import Tag
from pydantic import BaseModel, Field, model_validator

from local_mes.context import plant
from local_mes.level2 import down, queries, service
from local_mes.level2.again import let_followers_go
from local_mes.level2.backlog import get_backlog
from local_mes.level2.errors import unknown_repair
from local_mes.level2.heard import find_link, find_messages
from local_mes.level2.interpret import oldest_open_ms
from local_mes.level2.link_course import GAP, RESTART, spans
from local_mes.level2.link_state import find_history
from local_mes.level2.links import load_links
from local_mes.level2.refused import find_refused
from local_mes.level2.spool_figures import get_spool_figures
from shared.web.api_blueprint import APIBlueprint
from shared.web.body import Body
from shared.web.context import actor, reading, requires
from shared.web.paging import PageQuery

tag = Tag(name="level2", description="Connections to Level 2, messages to repair, orders sent down")
bp = APIBlueprint("level2_api", __name__, url_prefix="/api/v1", abp_tags=[tag], abp_security=[{"bearer": []}])
DAY_MS = 86_400_000
REPAIRERS = ("engineer", "lead", "quality")


class RepairQuery(PageQuery):
    """Narrows the repair queue."""

    state: Literal["", "open", "mended", "dismissed"] = "open"
    link: str = Field("", max_length=64)


class RepairPath(BaseModel):
    """A message in repair."""

    repair_id: str = Field(max_length=32)


class RepairBody(Body):
    """Either the whole corrected fields, to be interpreted in place, or the reason why the message is given up."""

    command_id: str = Field(min_length=1, max_length=64)
    fields: dict[str, Any] | None = None
    dismiss: str | None = Field(None, min_length=1, max_length=500)
    note: str = Field("", max_length=500)

    @model_validator(mode="after")
    def _one_of_both(self) -> RepairBody:
        if (self.fields is None) == (self.dismiss is None):
            raise ValueError("give either `fields` or `dismiss`")
        return self


class DownQuery(BaseModel):
    """Orders to Level 2, the newest first; before is a down_id."""

    before: int | None = Field(None, ge=1, le=2**53)
    limit: int = Field(50, ge=1, le=1000)


class LinkPath(BaseModel):
    """A link of the plant model."""

    code: str = Field(max_length=64)


class MessagesQuery(BaseModel):
    """Messages of a link, the newest first; before is a spool_id."""

    before: int | None = Field(None, ge=1, le=2**53)
    limit: int = Field(50, ge=1, le=1000)


class RefusedQuery(BaseModel):
    """The newest first."""

    limit: int = Field(50, ge=1, le=500)


class HistoryQuery(BaseModel):
    """A stretch of time, ms since 1970 UTC; without it the last 24 hours."""

    from_ms: int | None = Field(None, ge=0, le=2**53)
    to_ms: int | None = Field(None, ge=0, le=2**53)


@bp.get("/links/<code>/messages")
def get_link_messages(path: LinkPath, query: MessagesQuery) -> dict[str, Any]:
    """What a link has heard, decoded, and what is wrong with it."""
    here = plant()
    plan = load_links(here.settings)
    find_link(plan, path.code)
    rows = find_messages(here, plan, path.code, query.limit, query.before)
    more = rows[-1]["spool_id"] if len(rows) == query.limit else None
    return {"items": rows, "next": more, "as_of": here.clock.now_ms()}


@bp.get("/links/<code>/refused")
def get_link_refused(path: LinkPath, query: RefusedQuery) -> dict[str, Any]:
    """Telegrams that were not taken, with their bytes in hex, and how many there were."""
    here = plant()
    find_link(load_links(here.settings), path.code)
    rows, count = find_refused(here.spool, path.code, query.limit)
    items = [{**row._mapping, "raw": bytes(row.raw).hex()} for row in rows]
    return {"items": items, "next": None, "as_of": here.clock.now_ms(), "count": asdict(count)}


@bp.get("/links/<code>/history")
def get_link_history(path: LinkPath, query: HistoryQuery) -> dict[str, Any]:
    """States of a link over a stretch of time, and the messages known to be missing."""
    here = plant()
    find_link(load_links(here.settings), path.code)
    now = here.clock.now_ms()
    to_ms = now if query.to_ms is None else query.to_ms
    from_ms = to_ms - DAY_MS if query.from_ms is None else query.from_ms
    entries = find_history(here.spool, path.code, from_ms, to_ms)
    return {
        "items": [asdict(span) for span in spans(entries, from_ms, to_ms)],
        "breaks": [asdict(entry) for entry in entries if entry.kind in (GAP, RESTART) and entry.at_ms >= from_ms],
        "next": None,
        "as_of": now,
    }


@bp.get("/links")
def get_links() -> dict[str, Any]:
    """Links with state, rate, last message, counters and clock offset."""
    here = plant()
    return {
        "items": [asdict(link) for link in queries.find_links(here)],
        "next": None,
        "as_of": here.clock.now_ms(),
        "backlog": asdict(get_backlog(here)),
        "spool": asdict(get_spool_figures(here)),
        "oldest_open_ms": oldest_open_ms(here),
    }


@bp.get("/down")
def get_down(query: DownQuery) -> dict[str, Any]:
    """What was sent or waits to be sent to Level 2, and its answers."""
    here = plant()
    rows = down.find_recent(here.spool, query.limit, query.before)
    more = rows[-1].down_id if len(rows) == query.limit else None
    return {"items": [asdict(row) for row in rows], "next": more, "as_of": here.clock.now_ms()}


@bp.get("/repairs")
def get_repairs(query: RepairQuery) -> dict[str, Any]:
    """Messages that could not be interpreted, the oldest first."""
    with reading() as conn:
        rows = queries.find_repairs(conn, query.state, query.link, query.after, query.limit)
    shown = rows[: query.limit]
    return {
        "items": [_out(row) for row in shown],
        "next": shown[-1].repair_id if len(rows) > query.limit else None,
        "as_of": plant().clock.now_ms(),
    }


@bp.get("/repairs/<repair_id>")
def get_repair(path: RepairPath) -> dict[str, Any]:
    """One message with its fields as received and as mended."""
    with reading() as conn:
        row = queries.find_repair(conn, path.repair_id)
    if row is None:
        raise unknown_repair(path.repair_id)
    return _out(row)


@bp.post("/repairs/<repair_id>")
@requires(*REPAIRERS)
def post_repair(path: RepairPath, body: RepairBody) -> dict[str, Any]:
    """Mend a message and interpret it in its place, with those that waited too long for it; or dismiss it."""
    if body.dismiss is not None:
        return service.dismiss(plant(), path.repair_id, body.dismiss, actor=actor(), command_id=body.command_id)
    done = service.mend(
        plant(), path.repair_id, body.fields or {}, actor=actor(), command_id=body.command_id, note=body.note
    )
    let_followers_go(plant(), actor=actor())
    return done


def _out(row: Any) -> dict[str, Any]:
    values = dict(row._mapping)
    return values | {name: msgspec.json.decode(values[name]) for name in ("fields", "mended")}
