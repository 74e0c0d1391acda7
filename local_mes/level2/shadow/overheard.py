"""What the old MES said to Level 2, as a shadow link overheard it: its orders, and what it refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import Connection, Engine, delete, func, insert, select

from local_mes.level2.spool_tables import overheard
from local_mes.level2.telegram_rules import Taken
from shared.db.engine import read

KEPT = 20_000
"""Rows a link keeps: weeks of orders."""


@dataclass(frozen=True)
class Overheard:
    """One telegram of the old MES; received_ms UTC."""

    link: str
    received_ms: int
    taken: Taken


def keep(conn: Connection, heard: Sequence[Overheard]) -> None:
    """Store them, in their order, all of one link; the oldest go."""
    rows = [
        {
            "link": one.link,
            "received_ms": one.received_ms,
            "message": one.taken.message[:64],
            "sequence": one.taken.head.sequence,
            "fields": msgspec.json.encode(dict(one.taken.fields)).decode(),
            "problem": one.taken.problem,
            "raw": one.taken.frame.raw,
        }
        for one in heard
    ]
    conn.execute(insert(overheard), rows)
    here = overheard.c.link == heard[0].link
    newest = conn.execute(select(func.max(overheard.c.ordinal)).where(here)).scalar_one()
    conn.execute(delete(overheard).where(here, overheard.c.ordinal <= newest - KEPT))


def find_overheard(spool: Engine, link: str, limit: int, before: int | None = None) -> list[dict[str, Any]]:
    """The newest, newest first; before is an ordinal."""
    query = select(overheard).where(overheard.c.link == link).order_by(overheard.c.ordinal.desc()).limit(limit)
    if before is not None:
        query = query.where(overheard.c.ordinal < before)
    with read(spool) as conn:
        return [{**row, "fields": msgspec.json.decode(row["fields"])} for row in conn.execute(query).mappings()]


def find_between(spool: Engine, link: str, from_ms: int, to_ms: int) -> list[dict[str, Any]]:
    """What was received from one time (UTC ms) up to another, oldest first."""
    c = overheard.c
    query = select(overheard).where(c.link == link, c.received_ms.between(from_ms, to_ms)).order_by(c.ordinal)
    with read(spool) as conn:
        return [{**row, "fields": msgspec.json.decode(row["fields"])} for row in conn.execute(query).mappings()]
