"""On time in full: what counts, when it counts, and what a month adds up to."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from shared.outside.otif import Left, Ordered, end_of_day_ms, fulfil, scores


def ms(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


ORDER = Ordered("1/10", "Merrin", "2026-03-12", 100_000, 50_000)


@pytest.mark.parametrize(
    ("left", "state"),
    [
        ([("2026-03-12T23:59", 95_000)], "on_time"),
        ([("2026-03-12T23:59", 94_999)], "short"),
        ([("2026-03-12T12:00", 50_000), ("2026-03-13T00:00", 50_000)], "late"),
        ([("2026-03-10T12:00", 200_000)], "on_time"),  # more than ordered is in full
        ([], "short"),
        ([("2026-03-21T00:00", 100_000)], "short"),  # after the moment of the figure
    ],
)
def test_an_order_item_is_judged_by_its_due_day(left: list[tuple[str, int]], state: str) -> None:
    pieces = [Left("1/10", grams, ms(at)) for at, grams in left] + [Left("other", 10**9, 0)]
    (found,) = fulfil([ORDER], pieces, ms("2026-03-20T00:00"), UTC)
    assert found.state == state


def test_an_item_whose_day_is_not_over_counts_in_no_month() -> None:
    found = fulfil([ORDER], [], ms("2026-03-12T23:59"), UTC)
    assert [one.state for one in found] == ["open"]
    assert scores(found) == []
    assert fulfil([ORDER._replace(due="soon")], [], 0, UTC) == []


def test_days_are_the_plants_and_one_night_is_an_hour_short() -> None:
    london = ZoneInfo("Europe/London")
    assert end_of_day_ms("2026-03-29", london) == ms("2026-03-29T23:00")
    assert end_of_day_ms("2026-03-28", london) == ms("2026-03-29T00:00")
    assert end_of_day_ms("2026-02-30", london) is None


def test_months_add_items_not_percents() -> None:
    ordered = [ORDER, ORDER._replace(item="2/10"), ORDER._replace(item="3/10", due="2026-02-28")]
    left = [Left("1/10", 100_000, 0), Left("2/10", 100_000, ms("2026-03-14T00:00"))]
    march, february = scores(fulfil(ordered, left, ms("2026-03-20T00:00"), UTC))
    assert (march.month, march.items, march.on_time, march.late, march.short) == ("2026-03", 2, 1, 1, 0)
    assert march.otif_ppm == 500_000
    assert (february.month, february.short, february.otif_ppm) == ("2026-02", 1, 0)
