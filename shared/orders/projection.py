"""Facts of orders and schedules as rows."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection

from shared.db.bulk import update_each
from shared.db.upsert import upsert
from shared.journal.apply import Appliers
from shared.journal.fact import AppliedFact
from shared.orders.facts import OrderReleased, OrderSignedOff, ScheduleLineClosed, ScheduleReleased
from shared.orders.tables import order_item, schedule_line, sign_off

_json = msgspec.json.Encoder(order="deterministic")
_ORDER = ("customer", "product", "grade", "thickness_um", "width_um", "mass_g", "route", "due")


def register(appliers: Appliers) -> None:
    """Give the journal the appliers of this subject."""
    appliers.add(OrderReleased, apply_order_released)
    appliers.add(OrderSignedOff, apply_signed_off)
    appliers.add(ScheduleReleased, apply_schedule_released)
    appliers.add(ScheduleLineClosed, apply_schedule_line_closed)


def apply_order_released(conn: Connection, facts: Sequence[AppliedFact[OrderReleased]]) -> None:
    """An order item; a later release of the same item replaces it."""
    rows = [
        {"author": x.author, "item": x.payload.item, "released_at_ms": x.occurred.at_ms}
        | {name: getattr(x.payload, name) for name in _ORDER}
        for x in facts
    ]
    upsert(conn, order_item, rows, update=[*_ORDER, "released_at_ms"])


def apply_signed_off(conn: Connection, facts: Sequence[AppliedFact[OrderSignedOff]]) -> None:
    """Quality's last word for an item."""
    rows = {
        (x.author, x.payload.item): {
            "author": x.author,
            "item": x.payload.item,
            "released_at_ms": x.payload.released_at_ms,
            "note": x.payload.note,
            "signed_by": x.actor,
            "signed_ms": x.recorded_at_ms,
        }
        for x in facts
    }
    upsert(conn, sign_off, list(rows.values()), update=["released_at_ms", "note", "signed_by", "signed_ms"])


def apply_schedule_released(conn: Connection, facts: Sequence[AppliedFact[ScheduleReleased]]) -> None:
    """Lines appended to a unit's schedule."""
    upsert(
        conn,
        schedule_line,
        [
            {
                "author": x.author,
                "line_id": line.line_id,
                "unit": x.payload.unit,
                "released_at_ms": x.recorded_at_ms,
                "position": line.position,
                "piece": line.piece,
                "order_item": line.order_item,
                "number": line.number,
                "aims": _json.encode(line.aims).decode(),
                "state": "open",
                "reason": "",
                "closed_at_ms": None,
            }
            for x in facts
            for line in x.payload.lines
        ],
    )


def apply_schedule_line_closed(conn: Connection, facts: Sequence[AppliedFact[ScheduleLineClosed]]) -> None:
    """The end of a line; closing one that is not known changes nothing."""
    update_each(
        conn,
        schedule_line,
        ("author", "line_id"),
        [
            {
                "author": x.author,
                "line_id": x.payload.line_id,
                "reason": x.payload.reason,
                "state": "dropped" if x.payload.result == "dropped" else "done",
                "closed_at_ms": x.occurred.at_ms,
            }
            for x in facts
        ],
    )
