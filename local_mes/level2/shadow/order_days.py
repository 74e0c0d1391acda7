"""The old MES's orders counted by day: how many were as ours, said something else, or were not ours, and ours that it
never gave."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Engine

from local_mes.level2.down import SETPOINT, Down, find_queued
from local_mes.level2.shadow.orders import APART_MS, judge, names_in
from local_mes.level2.shadow.overheard import find_between
from shared.clock import to_datetime, to_ms

DAYS = 7


@dataclass(frozen=True)
class OrderDay:
    """One calendar day of the plant. alone: orders that Strandline had ready and the old MES did not give."""

    day: str
    same: int
    differs: int
    none: int
    unread: int
    alone: int


def count_days(spool: Engine, link: str, sends: Collection[str], zone: ZoneInfo, now_ms: int) -> list[OrderDay]:
    """The last days on which either gave an order, newest first. sends: the messages that are orders."""
    today = to_datetime(now_ms).astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    found = [_count(spool, link, sends, today - timedelta(days=back)) for back in range(DAYS)]
    return [day for day in found if day is not None]


def _count(spool: Engine, link: str, sends: Collection[str], midnight: datetime) -> OrderDay | None:
    first, end = to_ms(midnight), to_ms(midnight + timedelta(days=1))
    around = first - APART_MS, end + APART_MS  # what belongs together may lie on both sides of midnight
    ours = [one for one in find_queued(spool, link, *around) if one.kind != SETPOINT and one.message in sends]
    near = _Near(ours)
    judged = [judge(row, sends, near.find(row)) for row in find_between(spool, link, *around)]
    given = {order.ours_id for order in judged}
    counts = Counter(order.verdict for order in judged if first <= order.received_ms < end)
    alone = sum(first <= one.queued_ms < end and one.down_id not in given for one in ours)
    told = counts["same"], counts["differs"], counts["none"], counts["unread"], alone
    return OrderDay(midnight.date().isoformat(), *told) if any(told) else None


class _Near:
    """Our orders by message and by what names their piece: thousands a day, and each is asked for once."""

    def __init__(self, ours: Sequence[Down]) -> None:
        self._ours: dict[str, list[Down]] = defaultdict(list)
        for one in ours:
            self._ours[one.message].append(one)
        self._named: dict[tuple[str, ...], dict[tuple[str, ...], list[Down]]] = {}

    def find(self, row: Mapping[str, Any]) -> Sequence[Down]:
        """Those of the same message for the same piece."""
        named = names_in(row["fields"])
        key = (row["message"], *named)
        if key not in self._named:
            found = self._named[key] = defaultdict(list)
            for one in self._ours[row["message"]]:
                found[tuple(str(one.fields.get(name, "")) for name in named)].append(one)
        return self._named[key].get(tuple(named.values()), ())
