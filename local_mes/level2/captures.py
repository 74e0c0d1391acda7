"""Captures that people start and stop: a mark on a stretch of time of one link, whose messages the spool then keeps.

Nothing is copied while one runs: the spool has every message anyway. The file is made when it is asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, delete, func, insert, select, update

from local_mes.level2.errors import captures_already, no_capture, too_many_captures
from local_mes.level2.spool_tables import kept_capture, message
from local_mes.plant import Plant
from shared.db.engine import read, write

CAPTURES_MAX = 20
"""Of one link: each keeps its messages on the disk until somebody deletes it."""
DAYS_MAX = 7
"""A capture that nobody stops ends by itself: a forgotten one must not keep the spool growing for ever."""
DAY_MS = 86_400_000


@dataclass(frozen=True)
class Capture:
    """One of them; to_ms: when it ended, or will end by itself while it runs."""

    capture_id: int
    link: str
    from_ms: int
    to_ms: int
    runs: bool
    started_by: str
    messages: int


def find_captures(plant: Plant, link: str) -> Sequence[Capture]:
    """Those of a link, the newest first."""
    c = kept_capture.c
    now = plant.clock.now_ms()
    with read(plant.spool) as conn:
        rows = conn.execute(select(kept_capture).where(c.link == link).order_by(c.capture_id.desc())).all()
        made = []
        for row in rows:
            end = _end(row)
            of_it = (message.c.link == link, message.c.received_ms >= row.from_ms, message.c.received_ms < end)
            count = conn.execute(select(func.count()).where(*of_it)).scalar_one()
            made.append(Capture(row.capture_id, link, row.from_ms, end, end > now, row.started_by, count))
    return made


def get_capture(plant: Plant, capture_id: int) -> Capture:
    """One; NotFound when it was deleted."""
    with read(plant.spool) as conn:
        link = conn.execute(select(kept_capture.c.link).where(kept_capture.c.capture_id == capture_id)).scalar()
    found = next((one for one in find_captures(plant, link or "") if one.capture_id == capture_id), None)
    if found is None:
        raise no_capture(capture_id)
    return found


def start_capture(plant: Plant, link: str, *, actor: str) -> None:
    """Begin now. Refused while one of the link runs, or with too many kept."""
    kept = find_captures(plant, link)
    if any(one.runs for one in kept):
        raise captures_already(link)
    if len(kept) >= CAPTURES_MAX:
        raise too_many_captures(link, CAPTURES_MAX)
    with write(plant.spool) as conn:
        conn.execute(insert(kept_capture).values(link=link, from_ms=plant.clock.now_ms(), to_ms=None, started_by=actor))


def stop_capture(plant: Plant, capture_id: int) -> None:
    """End it now; one that has ended stays as it is."""
    if get_capture(plant, capture_id).runs:
        with write(plant.spool) as conn:
            this = update(kept_capture).where(kept_capture.c.capture_id == capture_id)
            conn.execute(this.values(to_ms=plant.clock.now_ms()))


def drop_capture(plant: Plant, capture_id: int) -> None:
    """Forget it; its messages are given up like all others from now on."""
    with write(plant.spool) as conn:
        conn.execute(delete(kept_capture).where(kept_capture.c.capture_id == capture_id))


def _end(row: Row[Any]) -> int:
    return int(row.to_ms if row.to_ms is not None else row.from_ms + DAYS_MAX * DAY_MS)
