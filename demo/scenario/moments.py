"""Times of the scenario: all UTC, milliseconds since 1970. Day D is Wednesday 2026-03-11."""

from __future__ import annotations

from datetime import UTC, datetime

SECOND = 1_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
YEAR = 2026


def at(text: str) -> int:
    """`03-11 05:20` or `03-11 05:20:30` as ms since 1970.

    >>> at("03-11 05:20") - at("03-11 00:00") == 320 * MINUTE
    True
    """
    form = "%Y-%m-%d %H:%M:%S" if text.count(":") == 2 else "%Y-%m-%d %H:%M"
    return round(datetime.strptime(f"{YEAR}-{text}", form).replace(tzinfo=UTC).timestamp() * 1000)


def minutes(value: float) -> int:
    """Minutes as ms."""
    return round(value * MINUTE)


def iso(ms: int) -> str:
    """`2026-03-11T05:20:00.000Z`."""
    return datetime.fromtimestamp(ms / 1000, tz=UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{ms % 1000:03d}Z"
