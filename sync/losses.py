"""Places of this node's own streams that existed and are not here: what a restore could not bring back, listed.

Whatever comes back later (pulled from a peer, sent again) is off the list by itself: the list is what is still missing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, select

from shared.db.upsert import upsert
from shared.journal.life import Lost
from shared.journal.tables import entry
from sync.tables import lost


@dataclass(frozen=True)
class Missing:
    """Entries first..last of an epoch of ours, `count` of which are not here; held_by is a peer that has them, or ''."""

    stream: str
    epoch: str
    first: int
    last: int
    count: int
    held_by: str
    at_ms: int

    def __str__(self) -> str:
        who = f"held by {self.held_by}" if self.held_by else "held by nobody that is known"
        return f"{self.stream} {self.epoch} entries {self.first}-{self.last}: {self.count} missing, {who}"


def note_lost(conn: Connection, places: Iterable[Lost], held_by: str, now_ms: int) -> None:
    """Remember places that others, or the anchor, know of."""
    rows = [
        {"stream": p.stream, "epoch": p.epoch, "first": p.first, "last": p.last, "held_by": held_by, "at_ms": now_ms}
        for p in places
    ]
    upsert(conn, lost, rows, update=["last", "held_by"])


def list_missing(conn: Connection) -> list[Missing]:
    """What is still missing, by stream, epoch and place."""
    found = []
    for row in conn.execute(select(lost).order_by(lost.c.stream, lost.c.epoch, lost.c.first)):
        count = row.last - row.first + 1 - _count_here(conn, row)
        if count:
            found.append(Missing(row.stream, row.epoch, row.first, row.last, count, row.held_by, row.at_ms))
    return found


def _count_here(conn: Connection, row: Any) -> int:
    """How many of these places are here: as entries, or as facts that were passed on and name the place as their
    origin (what only readers had of our own stream comes back so)."""
    c = entry.c
    own = select(c.seq).where(c.stream == row.stream, c.epoch == row.epoch, c.seq.between(row.first, row.last))
    passed_on = select(c.origin_seq).where(
        c.origin_stream == row.stream, c.origin_epoch == row.epoch, c.origin_seq.between(row.first, row.last)
    )
    return conn.execute(select(func.count()).select_from(own.union(passed_on).subquery())).scalar_one()
