"""Goods that are counted, not followed piece by piece: alloys, rolls, packaging. Receipts, issues, counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row

from local_mes.plant import Plant
from local_mes.stock import errors
from local_mes.stock.service import Command, check_place
from shared.ids import derived_id
from shared.journal.fact import Draft
from shared.stock.facts import GOODS_KINDS, GOODS_UNITS, GoodsBooked, GoodsDescribed
from shared.stock.queries import find_goods, quantity_at

BOOKINGS = ("receipt", "issue", "take")
QUANTITY_MAX = 10**13
"""Ten thousand tonnes in grams: more is a slip of units."""


@dataclass(frozen=True)
class Booking:
    """A receipt or issue of a quantity, or a count of what lies there; grams or pieces."""

    item: str
    place: str
    kind: str
    quantity: int
    reference: str = ""
    reason: str = ""


def describe(plant: Plant, command: Command, goods: GoodsDescribed) -> dict[str, Any]:
    """Goods the plant keeps; again with the same item: described anew, with the same unit."""
    with plant.journal.work() as tx:
        if (earlier := tx.once(command.command_id)) is not None:
            return dict(earlier)
        known = find_goods(tx.conn, plant.code, goods.item)
        _check(goods, known)
        tx.record(Draft(goods, (f"goods:{goods.item}",), command.actor, command.occurred(plant, tx)))
        result = {"item": goods.item, "new": known is None}
        tx.done(command.command_id, result)
    return result


def book(plant: Plant, command: Command, booking: Booking) -> dict[str, Any]:
    """Book it, once; no more is issued than there is, and a count that differs takes a reason."""
    with plant.journal.work() as tx:
        if (earlier := tx.once(command.command_id)) is not None:
            return dict(earlier)
        known = find_goods(tx.conn, plant.code, booking.item)
        if known is None:
            raise errors.no_goods(booking.item)
        check_place(plant.model, booking.place)
        have = quantity_at(tx.conn, plant.code, booking.item, booking.place)
        change = _change(booking, have, known.unit)
        fact = GoodsBooked(
            booking_id=derived_id(tx.now_ms(), plant.code, "goods", command.command_id),
            item=booking.item,
            place=booking.place,
            kind=booking.kind,
            change=change,
            balance=have + change,
            reference=booking.reference,
            reason=booking.reason,
        )
        tx.record(Draft(fact, (f"goods:{booking.item}",), command.actor, command.occurred(plant, tx)))
        result = {"item": booking.item, "place": booking.place, "change": change, "balance": have + change}
        tx.done(command.command_id, result)
    return result


def in_words(quantity: int, unit: str) -> str:
    """A quantity as people read it."""
    return f"{quantity / 1000:,.0f} kg" if unit == "g" else f"{quantity:,} pieces"


def get_goods(conn: Connection, plant: Plant, item: str) -> Row[Any]:
    """The description of an item; NotFound when there is none."""
    found = find_goods(conn, plant.code, item)
    if found is None:
        raise errors.no_goods(item)
    return found


def _check(goods: GoodsDescribed, known: Row[Any] | None) -> None:
    if goods.kind not in GOODS_KINDS or goods.unit not in GOODS_UNITS:
        what = f"{goods.kind!r} in {goods.unit!r} is none of {', '.join(GOODS_KINDS)} in {' or '.join(GOODS_UNITS)}."
        raise errors.bad_goods(what)
    if known is not None and known.unit != goods.unit:
        raise errors.bad_goods(f"{goods.item} is counted in {known.unit}; its bookings would mean something else.")


def _change(booking: Booking, have: int, unit: str) -> int:
    least = 0 if booking.kind == "take" else 1
    if booking.kind not in BOOKINGS or not least <= booking.quantity <= QUANTITY_MAX:
        raise errors.bad_goods(f"{booking.kind} of {booking.quantity:,} is no booking.")
    if booking.kind == "receipt":
        return booking.quantity
    if booking.kind == "take":
        if booking.quantity != have and not booking.reason.strip():
            raise errors.take_reason((booking.item,))
        return booking.quantity - have
    if booking.quantity > have:
        raise errors.not_enough(booking.item, booking.place, in_words(have, unit), in_words(booking.quantity, unit))
    return -booking.quantity
