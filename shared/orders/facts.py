"""Orders and schedules, minimal: every piece carries an order item or is stock."""

from __future__ import annotations

import msgspec

from shared.journal.fact import Payload, fact


@fact("OrderReleased")
class OrderReleased(Payload, frozen=True, kw_only=True):
    """An order item from Level 4; a later one with the same item replaces it."""

    item: str
    customer: str
    product: str
    grade: str
    thickness_um: int
    width_um: int
    mass_g: int
    route: str
    due: str


@fact("OrderSignedOff")
class OrderSignedOff(Payload, frozen=True, kw_only=True):
    """Quality: an item as released then may be made by standards that nobody has confirmed for long; note: why."""

    item: str
    released_at_ms: int
    note: str


class ScheduleLine(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be made next at a unit. piece: heat number or any number of a piece; number: planned product number."""

    line_id: str
    position: int
    piece: str
    order_item: str = ""
    number: str = ""
    aims: dict[str, int | str] = {}


@fact("ScheduleReleased")
class ScheduleReleased(Payload, frozen=True, kw_only=True):
    """Lines appended to a unit's schedule."""

    unit: str
    lines: tuple[ScheduleLine, ...]


@fact("ScheduleLineClosed")
class ScheduleLineClosed(Payload, frozen=True, kw_only=True):
    """A line is done, or dropped with a reason."""

    line_id: str
    unit: str
    result: str
    reason: str = ""
