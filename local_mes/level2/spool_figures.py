"""How large the spool is, since when it has every message, and what keeps it from giving old ones up."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select

from local_mes.level2.pruning import DAY_MS, is_confirmed
from local_mes.level2.spool_tables import mark, message, pruned
from local_mes.plant import Plant
from shared.db.engine import read


@dataclass(frozen=True)
class SpoolFigures:
    """messages kept and given up; since_ms: the oldest kept; bytes of the file, free_bytes of them are used again.

    unconfirmed_ms: messages older than this are kept only because the hub has not confirmed what came of them.
    """

    messages: int
    given_up: int
    since_ms: int | None
    pruned_ms: int | None
    bytes: int
    free_bytes: int
    days: int
    unconfirmed_ms: int | None


def get_spool_figures(plant: Plant) -> SpoolFigures:
    """The figures now; cheap, however large the spool is."""
    c = message.c
    days = plant.settings.spool_days
    before = plant.clock.now_ms() - days * DAY_MS
    with read(plant.spool) as conn:
        # a link's messages are numbered without a gap, so nothing has to be counted
        stored = conn.execute(select(func.max(c.ordinal)).group_by(c.link)).scalars().all()
        gone, at_ms = conn.execute(select(func.sum(pruned.c.rows), func.max(pruned.c.at_ms))).one()
        since = conn.execute(select(c.received_ms).order_by(c.spool_id).limit(1)).scalar()
        pages, free, size = (
            conn.exec_driver_sql(f"PRAGMA {name}").scalar_one()
            for name in ("page_count", "freelist_count", "page_size")
        )
        due = conn.execute(select(mark).where(mark.c.at_ms < before).order_by(mark.c.spool_id.desc())).all()
    with read(plant.node.engine) as conn:
        waits = [one.at_ms for one in due if not is_confirmed(conn, plant.code, one)]
    return SpoolFigures(
        messages=sum(stored) - (gone or 0),
        given_up=gone or 0,
        since_ms=since,
        pruned_ms=at_ms,
        bytes=pages * size,
        free_bytes=free * size,
        days=days,
        unconfirmed_ms=waits[0] if waits and len(waits) == len(due) else None,
    )
