"""What the plant has trusted and must not trust anything older than, also after its database was restored."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, select, update

from local_mes.standards.tables import standards_trust

COLUMNS = ("timestamp_version", "catalogue_version", "time_floor_ms")
"""A hub's key alone, in wrong hands, can sign a new timestamp over an old catalogue: so that version is remembered too.
Catalogue and assignment themselves are taken in again from the hub's stream."""
PREFIX = "standards."


class TrustFloors:
    """Name -> the highest version or time that a signature of the hub has shown."""

    def __init__(self, plant: str) -> None:
        self._plant = plant

    def read(self, conn: Connection) -> dict[str, int]:
        """As they stand; nothing before a root is trusted."""
        row = conn.execute(select(standards_trust).where(standards_trust.c.plant == self._plant)).mappings().first()
        return {PREFIX + name: int(row[name]) for name in COLUMNS} if row else {}

    def owns(self, name: str) -> bool:
        """Whether this is one of them."""
        return name in {PREFIX + column for column in COLUMNS}

    def raise_to(self, conn: Connection, values: Mapping[str, int]) -> None:
        """Bring them up."""
        now = self.read(conn)
        higher = {name: max(values.get(PREFIX + name, 0), now[PREFIX + name]) for name in COLUMNS} if now else {}
        if higher:
            conn.execute(update(standards_trust).where(standards_trust.c.plant == self._plant).values(**higher))
