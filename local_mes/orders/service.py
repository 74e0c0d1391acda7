"""Use cases of orders: release items and schedules, close lines. Other features read through here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection

from local_mes.centre.service import check_ours
from local_mes.execution.serving import check_serves, substitutions
from local_mes.orders import errors
from local_mes.orders.sign_offs import check_own_time, check_signed, list_waiting, sign_off
from local_mes.plant import Plant
from shared.centre.facts import ORDER_RELEASE
from shared.ids import derived_id
from shared.journal.fact import Draft, Occurred
from shared.journal.journal import Work
from shared.material.queries import find_piece
from shared.orders.facts import OrderReleased, ScheduleLine, ScheduleLineClosed, ScheduleReleased
from shared.orders.queries import Line, find_line, find_line_by_id, find_line_by_number, find_next_line, find_order

__all__ = [
    "STOCK",
    "NewLine",
    "close_line",
    "drop_line",
    "find_line",
    "find_line_by_number",
    "find_next_line",
    "find_order",
    "list_waiting",
    "release_orders",
    "release_schedule",
    "sign_off",
]
STOCK = "stock"
"""What a piece serves that was made for no order."""


@dataclass(frozen=True)
class NewLine:
    """A line as it is released: see shared.orders.facts.ScheduleLine."""

    position: int
    piece: str
    order_item: str = ""
    number: str = ""
    aims: dict[str, int | str] = field(default_factory=dict)


def release_orders(
    plant: Plant,
    items: Sequence[OrderReleased],
    *,
    actor: str,
    command_id: str,
    at_ms: int | None = None,
    by_centre: bool = False,
) -> dict[str, Any]:
    """Release order items of Level 4; one that exists is replaced. Returns the items.

    at_ms: None for now; not to be given for critical grades while the standards are long stale (Refused).
    by_centre: the hub decided, which owns this plant's order release; else it is refused where the hub does.
    """
    with plant.journal.work() as tx:
        earlier = tx.once(command_id)
        if earlier is not None:
            return dict(earlier)
        if not by_centre:
            check_ours(plant, tx.conn, ORDER_RELEASE)
            if at_ms is not None:
                check_own_time(tx.conn, plant, items)
        when = _manual(plant, tx, at_ms)
        for item in items:
            tx.record(Draft(payload=item, subjects=(f"order:{item.item}",), actor=actor, occurred=when))
        result = {"items": [item.item for item in items]}
        tx.done(command_id, result)
    return result


def release_schedule(
    plant: Plant, unit: str, lines: Sequence[NewLine], *, actor: str, command_id: str, at_ms: int | None = None
) -> dict[str, Any]:
    """Append lines to a unit's schedule. Returns their ids in the order given."""
    plant.model.get_unit(unit)
    if not lines:
        raise errors.no_lines(unit)
    seen: set[int] = set()
    for line in lines:
        if line.position in seen:
            raise errors.doubled_position(unit, line.position)
        seen.add(line.position)
    with plant.journal.work() as tx:
        earlier = tx.once(command_id)
        if earlier is not None:
            return dict(earlier)
        _check_orders(tx.conn, plant.code, lines)
        _check_grades(tx.conn, plant.code, lines)
        check_signed(tx.conn, plant, {line.order_item for line in lines} - {"", STOCK})
        released = tuple(_line(tx.now_ms(), command_id, i, line) for i, line in enumerate(lines))
        fact = ScheduleReleased(unit=unit, lines=released)
        tx.record(Draft(payload=fact, subjects=(f"schedule:{unit}",), actor=actor, occurred=_manual(plant, tx, at_ms)))
        result = {"unit": unit, "line_ids": [line.line_id for line in released]}
        tx.done(command_id, result)
    return result


def drop_line(
    plant: Plant, line_id: str, reason: str, *, actor: str, command_id: str, at_ms: int | None = None
) -> dict[str, Any]:
    """Take an open line off the schedule, with a reason."""
    with plant.journal.work() as tx:
        earlier = tx.once(command_id)
        if earlier is not None:
            return dict(earlier)
        line = find_line_by_id(tx.conn, plant.code, line_id)
        if line is None:
            raise errors.unknown_line(line_id)
        if line.state != "open":
            raise errors.line_closed(line_id, line.state)
        close_line(tx, line, "dropped", actor=actor, occurred=_manual(plant, tx, at_ms), reason=reason)
        result = {"line_id": line_id, "state": "dropped"}
        tx.done(command_id, result)
    return result


def close_line(tx: Work, line: Line, result: str, *, actor: str, occurred: Occurred, reason: str = "") -> None:
    """Record that an open line is `done` or `dropped`; a line that is closed already stays as it is."""
    if line.state != "open":
        return
    fact = ScheduleLineClosed(line_id=line.line_id, unit=line.unit, result=result, reason=reason)
    tx.record(Draft(payload=fact, subjects=(line.line_id, f"schedule:{line.unit}"), actor=actor, occurred=occurred))


def _line(now_ms: int, command_id: str, ordinal: int, line: NewLine) -> ScheduleLine:
    return ScheduleLine(
        line_id=derived_id(now_ms, "schedule-line", command_id, ordinal),
        position=line.position,
        piece=line.piece,
        order_item=line.order_item,
        number=line.number,
        aims=dict(line.aims),
    )


def _check_orders(conn: Connection, author: str, lines: Sequence[NewLine]) -> None:
    for item in sorted({line.order_item for line in lines} - {"", STOCK}):
        if find_order(conn, author, item) is None:
            raise errors.unknown_order(item)


def _check_grades(conn: Connection, author: str, lines: Sequence[NewLine]) -> None:
    """A piece that is here is planned only for an order that its grade may serve; heats have internal grades.

    For the order that it serves already it was found fit: made for it, or released to it, perhaps as a downgrade.
    """
    if not substitutions(conn, author):
        return
    for line in lines:
        order = find_order(conn, author, line.order_item) if line.order_item not in ("", STOCK) else None
        piece = find_piece(conn, line.piece, author) if order else None
        if order is None or piece is None or piece.order_item == order.item:
            continue
        if piece.kind != "heat" and piece.state == "live":
            check_serves(conn, author, piece.number, piece.grade, order, downgrade=False)


def _manual(plant: Plant, tx: Work, at_ms: int | None) -> Occurred:
    when = tx.now_ms() if at_ms is None else at_ms
    return Occurred(when, "manual", plant.model.calendar.offset_min(when))
