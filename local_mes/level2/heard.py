"""What a link has heard, as pages and API show it: each message with its fields, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from sqlalchemy import select

from local_mes.level2.errors import unknown_link
from local_mes.level2.links import Link, LinkPlan
from local_mes.level2.spool_tables import message
from local_mes.level2.telegrams.plausible import check
from local_mes.plant import Plant
from shared.db.engine import read

SUMMARY_CHARS = 220


def find_link(plan: LinkPlan, code: str) -> Link:
    """A link of the model; NotFound names it."""
    found = plan.links.get(code)
    if found is None:
        raise unknown_link(code)
    return found


def find_messages(
    plant: Plant, plan: LinkPlan, code: str, limit: int, before: int | None = None
) -> list[dict[str, Any]]:
    """The newest messages of a link, newest first; before is a spool_id."""
    query = select(message).where(message.c.link == code).order_by(message.c.ordinal.desc()).limit(limit)
    if before is not None:
        query = query.where(message.c.spool_id < before)
    with read(plant.spool) as conn:
        rows = conn.execute(query).all()
    return [as_shown(plan, row) for row in rows]


def as_shown(plan: LinkPlan, row: Any) -> dict[str, Any]:
    """A spooled row with title, fields, a summary of them (`said`) and why it does not pass (`wrong`), if so."""
    layout = plan.find_layout(row.link, row.message)
    fields = msgspec.json.decode(row.fields)
    faults = check(layout, fields) if layout and not row.problem else []
    return {
        "spool_id": row.spool_id,
        "message": row.message,
        "title": layout.title if layout else "",
        "sequence": row.sequence,
        "claimed": row.claimed,
        "claimed_ms": row.claimed_ms,
        "received_ms": row.received_ms,
        "fields": fields,
        "said": summary(fields),
        "wrong": row.problem or "; ".join(fault.reason for fault in faults),
    }


def summary(fields: Mapping[str, Any]) -> str:
    """Fields in one line; those that say nothing are left out."""
    said = ", ".join(f"{name} {_words(value)}" for name, value in fields.items() if value not in (None, ""))
    return said if len(said) <= SUMMARY_CHARS else said[: SUMMARY_CHARS - 1] + "…"


def _words(value: Any) -> str:
    return f"({len(value)} rows)" if isinstance(value, list) else str(value)
