"""How on-time-in-full is shown, the same at plant and hub."""

from __future__ import annotations

from typing import Any

from shared.outside.otif import Fulfilment, Score
from shared.web.listing import Column

SIGNS = {"on_time": "done", "late": "attention", "short": "alarm", "open": "normal"}
WORDS = {
    "on_time": "On time in full",
    "late": "In full, late",
    "short": "Short",
    "open": "Its day is not over",
}
OTIF_COLUMNS = (
    Column("month", "Month"),
    Column("customer", "Customer"),
    Column("otif_ppm", "On time in full", unit="%", show="percent"),
    Column("items", "Items due", show="whole"),
    Column("on_time", "On time in full", show="whole"),
    Column("late", "In full, late", show="whole"),
    Column("short", "Short", show="whole"),
    Column("ordered_g", "Ordered", unit="t", show="tonnes"),
    Column("left_g", "Left for it", unit="t", show="tonnes"),
)
ORDER_COLUMNS = (
    Column("item", "Order item", show="code"),
    Column("customer", "Customer"),
    Column("due", "Due"),
    Column("ordered_g", "Ordered", unit="t", show="tonnes"),
    Column("needed_g", "Counts as full", unit="t", show="tonnes"),
    Column("by_due_g", "Left by the due day", unit="t", show="tonnes"),
    Column("left_g", "Left by now", unit="t", show="tonnes"),
    Column("state", "State", show="badge"),
)


def score_row(score: Score) -> dict[str, Any]:
    """A customer's month as a row of a table."""
    return {**vars(score), "otif_ppm": score.otif_ppm}


def order_row(one: Fulfilment) -> dict[str, Any]:
    """An order item as a row of a table."""
    return {**vars(one), "state": WORDS[one.state], "state_state": SIGNS[one.state]}
