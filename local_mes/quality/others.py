"""What other plants hold of the steel that is here or on its way here: the hub's sealed word of it, and how old that is."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from shared.quality.tables import hold
from sync.tables import position

OLD_MS = 15 * 60_000
"""A list older than this is shown as old: with the line up, the hub's word is renewed within half a minute."""


@dataclass(frozen=True)
class OthersHolds:
    """The list that is enforced here. through_ms: the hub has sealed that nothing is missing up to then; None: no word yet.

    age_ms counts by this plant's clock; open_count: holds of other plants that bind here now.
    """

    through_ms: int | None
    age_ms: int | None
    open_count: int

    @property
    def is_old(self) -> bool:
        """Whether a hold may have been placed elsewhere that nobody here can know of."""
        return self.age_ms is None or self.age_ms > OLD_MS


def read_others(conn: Connection, here: str, now_ms: int) -> OthersHolds:
    """How things stand now."""
    through = conn.execute(
        select(func.max(position.c.complete_through)).where(position.c.stream.endswith(f">{here}"))
    ).scalar()
    c = hold.c
    count = conn.execute(
        select(func.count())
        .select_from(hold)
        .where(c.author != here, c.released_at_ms.is_(None), c.placed_at_ms.is_not(None))
    ).scalar_one()
    return OthersHolds(through or None, max(0, now_ms - through) if through else None, int(count))
