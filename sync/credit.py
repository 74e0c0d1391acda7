"""How much a receiver wishes to get next: less when applying is far behind, or when its disk fills.

A wish, not a stop: receiving never stops for applying, because what is durable here is safe and what is not may be lost
with the plant.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, func, select

from shared.disk import SPARE, look
from shared.journal.position import apply_position
from sync.limits import CREDIT_CALM, CREDIT_LEAST, ENTRIES_MAX
from sync.tables import position


def get_credit(conn: Connection, peer: str, folder: Path) -> int:
    """Entries of the peer's next batch at most."""
    if look(folder).used >= SPARE:
        return CREDIT_LEAST
    return credit_for(_not_applied(conn, peer))


def credit_for(behind: int) -> int:
    """Entries of the next batch, for so many that are received and not applied."""
    if behind <= CREDIT_CALM:
        return ENTRIES_MAX
    return max(CREDIT_LEAST, ENTRIES_MAX * CREDIT_CALM // behind)


def _not_applied(conn: Connection, peer: str) -> int:
    held = select(func.sum(position.c.durable)).where(position.c.peer == peer, position.c.stream == peer)
    done = select(func.sum(apply_position.c.seq)).where(apply_position.c.stream == peer)
    return int(conn.execute(held).scalar() or 0) - int(conn.execute(done).scalar() or 0)
