"""On time in full: how much of what customers ordered had left for them, whole, by its due day."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from typing import NamedTuple

PPM = 1_000_000
DEFINITION = (
    "An order item is on time in full when, by the end of its due day, pieces weighing at least the ordered mass less "
    "the agreed tolerance (5 % unless the order says otherwise) had left for its customer. What left counts, not what "
    "arrived; what was taken back, lost or wrongly listed does not. An item counts in the month of its due day, once "
    "that day is over; every item counts once, whatever its mass."
)
VERSION = 1
"""Of the definition: figures of another one are not put beside these."""


class Ordered(NamedTuple):
    """An order item: mass in grams, due as YYYY-MM-DD, tolerance in ppm of the mass."""

    item: str
    customer: str
    due: str
    mass_g: int
    tolerance_ppm: int


class Left(NamedTuple):
    """A piece that left for the customer: grams, UTC ms."""

    item: str
    mass_g: int
    at_ms: int


@dataclass(frozen=True)
class Fulfilment:
    """One order item as of a moment. by_due_g: what had left by the end of the due day."""

    item: str
    customer: str
    due: str
    ordered_g: int
    needed_g: int
    by_due_g: int
    left_g: int
    is_over: bool

    @property
    def month(self) -> str:
        """Of the due day, as YYYY-MM."""
        return self.due[:7]

    @property
    def on_time_in_full(self) -> bool:
        """By the definition."""
        return self.by_due_g >= self.needed_g

    @property
    def in_full(self) -> bool:
        """Whole by now, in time or late."""
        return self.left_g >= self.needed_g

    @property
    def state(self) -> str:
        """on_time | late | short | open (its day is not over)"""
        if self.on_time_in_full:
            return "on_time"
        if not self.is_over:
            return "open"
        return "late" if self.in_full else "short"


@dataclass
class Score:
    """A customer's month: items whose due day is over, and of them on time in full, late, and short to this day."""

    customer: str
    month: str
    items: int = 0
    on_time: int = 0
    late: int = 0
    short: int = 0
    ordered_g: int = 0
    left_g: int = 0

    @property
    def otif_ppm(self) -> int | None:
        """On time in full of all, in ppm; None where nothing was due."""
        return self.on_time * PPM // self.items if self.items else None


def end_of_day_ms(day: str, zone: tzinfo) -> int | None:
    """UTC ms at which the day is over in the zone (a summer-time night has its own length); None when it is no date."""
    try:
        after = date.fromisoformat(day) + timedelta(days=1)
        return int(datetime(after.year, after.month, after.day, tzinfo=zone).timestamp() * 1000)
    except (ValueError, OverflowError):
        return None


def fulfil(ordered: Iterable[Ordered], left: Iterable[Left], as_of_ms: int, zone: tzinfo) -> list[Fulfilment]:
    """Every item with a date, in the order given, from what left up to as_of_ms."""
    by_item: dict[str, list[Left]] = {}
    for piece in left:
        if piece.at_ms <= as_of_ms:
            by_item.setdefault(piece.item, []).append(piece)
    found = []
    for order in ordered:
        end_ms = end_of_day_ms(order.due, zone)
        if end_ms is None:
            continue
        pieces = by_item.get(order.item, ())
        found.append(
            Fulfilment(
                order.item,
                order.customer,
                order.due,
                order.mass_g,
                order.mass_g - order.mass_g * order.tolerance_ppm // PPM,
                sum(piece.mass_g for piece in pieces if piece.at_ms < end_ms),
                sum(piece.mass_g for piece in pieces),
                end_ms <= as_of_ms,
            )
        )
    return found


def scores(found: Sequence[Fulfilment]) -> list[Score]:
    """Customers' months, the youngest month first; items whose day is not over are left out."""
    sums: dict[tuple[str, str], Score] = {}
    for one in found:
        if not one.is_over:
            continue
        score = sums.setdefault((one.month, one.customer), Score(one.customer, one.month))
        score.items += 1
        score.on_time += one.state == "on_time"
        score.late += one.state == "late"
        score.short += one.state == "short"
        score.ordered_g += one.ordered_g
        score.left_g += one.left_g
    return sorted(sums.values(), key=lambda s: (_backwards(s.month), s.customer))


def _backwards(month: str) -> int:
    return -int(month.replace("-", ""))


def as_row(score: Score) -> Mapping[str, object]:
    """A score as the API and lists give it."""
    return {**vars(score), "otif_ppm": score.otif_ppm, "definition_version": VERSION}
