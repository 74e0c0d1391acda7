"""How long nobody has confirmed that the standards here are the latest: fresh, stale, long stale. Production goes on in each."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, select

from local_mes.plant import Plant
from local_mes.standards.tables import standards_trust
from local_mes.standards.trusting import get_trusted
from shared.standards.trust import CONFIRMED_MS, Trusted, is_stale

DAY_MS = 86_400_000


@dataclass(frozen=True)
class Freshness:
    """Judged by the latest time known here; long_since_ms: from when on it is (or will be) long stale."""

    stale: bool
    stale_long: bool
    long_since_ms: int


def freshness_of(trusted: Trusted, plant: Plant) -> Freshness:
    """Days count from the last confirmation, which is good for CONFIRMED_MS; before the first there is nothing to judge."""
    now = max(plant.clock.now_ms(), trusted.time_floor_ms)
    since = trusted.fresh_until_ms - CONFIRMED_MS + plant.settings.stale_long_days * DAY_MS
    known = trusted.catalogue is not None
    return Freshness(known and is_stale(trusted, now), known and now > since, since)


def find_freshness(conn: Connection, plant: Plant) -> Freshness | None:
    """None before the first root is trusted."""
    if conn.execute(select(standards_trust.c.plant).where(standards_trust.c.plant == plant.code)).first() is None:
        return None
    return freshness_of(get_trusted(conn, plant.code)[0], plant)
