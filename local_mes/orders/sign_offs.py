"""Quality's word for new orders of critical grades, while nobody has confirmed for long that the standards are the latest.

It is asked before a line is planned for such an order, never of a heat or piece that is on its way: nothing stops.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from local_mes.orders import errors
from local_mes.plant import Plant
from local_mes.standards.freshness import Freshness, find_freshness
from shared.journal.fact import Draft, Occurred
from shared.orders.facts import OrderReleased, OrderSignedOff
from shared.orders.queries import OrderItem, find_order, list_unsigned


def list_waiting(conn: Connection, plant: Plant) -> list[OrderItem]:
    """Orders that need it now: of a critical grade, released since the standards are long stale, not signed as they are."""
    fresh = _find_long_stale(conn, plant)
    return list_unsigned(conn, plant.code, plant.settings.critical_grades, fresh.long_since_ms) if fresh else []


def check_signed(conn: Connection, plant: Plant, items: set[str]) -> None:
    """Refused when lines are planned for an order that waits for quality's word."""
    waiting = sorted(items & {order.item for order in list_waiting(conn, plant)}) if items else []
    if waiting:
        raise errors.needs_sign_off(waiting)


def check_own_time(conn: Connection, plant: Plant, items: Sequence[OrderReleased]) -> None:
    """Refused when orders that quality is to sign are released at a given time: it could be one before, or one signed."""
    critical = sorted({order.item for order in items if order.grade in plant.settings.critical_grades})
    if critical and _find_long_stale(conn, plant):
        raise errors.own_time(critical)


def sign_off(plant: Plant, item: str, released_at_ms: int, note: str, *, actor: str, command_id: str) -> None:
    """Say that an order as it was shown (released_at_ms) may be made by the standards here; note: on what ground."""
    with plant.journal.work() as tx:
        if tx.once(command_id) is not None:
            return
        order = find_order(tx.conn, plant.code, item)
        if order is None:
            raise errors.unknown_order(item)
        if order.released_at_ms != released_at_ms:
            raise errors.released_meanwhile(item)
        fact = OrderSignedOff(item=item, released_at_ms=released_at_ms, note=note)
        tx.record(
            Draft(payload=fact, subjects=(f"order:{item}",), actor=actor, occurred=Occurred(tx.now_ms(), "manual"))
        )
        tx.done(command_id, True)


def _find_long_stale(conn: Connection, plant: Plant) -> Freshness | None:
    """None while quality is asked for nothing."""
    fresh = find_freshness(conn, plant) if plant.settings.critical_grades else None
    return fresh if fresh and fresh.stale_long else None
