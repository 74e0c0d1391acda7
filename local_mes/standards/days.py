"""Days as people type them, in the plant's zone."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from local_mes.context import plant
from shared.clock import to_ms
from shared.errors import BadInput


def day_begins(day: str, days_later: int = 0) -> int:
    """Midnight at which a day (2026-03-31) begins here, or one so many days later, as ms UTC."""
    try:
        found = date.fromisoformat(day)
    except ValueError as error:
        raise BadInput("standards.day", f"{day!r} is no day.", todo="Write it as 2026-03-31.") from error
    zone = ZoneInfo(plant().model.plant.zone)
    return to_ms(datetime.combine(found + timedelta(days=days_later), time(), zone))
