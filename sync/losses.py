"""Places of this node's own streams that existed and are not here: what a restore could not bring back, listed.

Whatever comes back later (pulled from a peer, sent again) is off the list by itself: the list is what is still missing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

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
        here = select(func.count()).where(
            entry.c.stream == row.stream, entry.c.epoch == row.epoch, entry.c.seq.between(row.first, row.last)
        )
        count = row.last - row.first + 1 - conn.execute(here).scalar_one()
        if count:
            found.append(Missing(row.stream, row.epoch, row.first, row.last, count, row.held_by, row.at_ms))
    return found
