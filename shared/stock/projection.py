"""Facts of yard and stores as rows: total, in bulk, in the order of the author's facts."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from shared.db.bulk import update_each
from shared.db.upsert import upsert
from shared.journal.apply import Appliers
from shared.journal.fact import AppliedFact
from shared.material.books import take_out
from shared.stock import facts as f
from shared.stock.tables import (
    crane_job,
    goods,
    goods_booking,
    goods_stock,
    stock_difference,
    stock_take,
    take_over,
)

_JOB = ("crane", "kind", "position", "material_id", "number", "to_place", "why")
_COUNTS = ("expected", "counted", "missing", "found", "elsewhere", "reason")
_DIFFERENCE = ("take_id", "kind", "number", "material_id", "expected_place", "found_place", "reason")
_GOODS = ("name", "kind", "unit", "least")
_BOOKING = ("booking_id", "item", "place", "kind", "change", "balance", "reference", "reason")


def apply_job_planned(conn: Connection, facts: Sequence[AppliedFact[f.CraneJobPlanned]]) -> None:
    """A job in a crane's list."""
    rows = [
        {name: getattr(x.payload, name) for name in _JOB}
        | {
            "author": x.author,
            "job_id": x.payload.job_id,
            "state": "open",
            "reason": "",
            "planned_at_ms": x.occurred.at_ms,
            "closed_at_ms": None,
            "closed_by": "",
        }
        for x in facts
    ]
    upsert(conn, crane_job, rows, update=_JOB)


def apply_job_closed(conn: Connection, facts: Sequence[AppliedFact[f.CraneJobClosed]]) -> None:
    """A job leaves the list."""
    rows = [
        {
            "author": x.author,
            "job_id": x.payload.job_id,
            "state": "dropped" if x.payload.result == "dropped" else "done",
            "reason": x.payload.reason,
            "closed_at_ms": x.occurred.at_ms,
            "closed_by": x.actor,
        }
        for x in facts
    ]
    update_each(conn, crane_job, ("author", "job_id"), rows)


def apply_take_opened(conn: Connection, facts: Sequence[AppliedFact[f.StockTakeOpened]]) -> None:
    """A count begins."""
    rows = [
        {
            "author": x.author,
            "take_id": x.payload.take_id,
            "area": x.payload.area,
            "state": "open",
            "opened_at_ms": x.occurred.at_ms,
            "opened_by": x.actor,
            "closed_at_ms": None,
            "closed_by": "",
            **dict.fromkeys(_COUNTS[:-1], 0),
            "reason": "",
        }
        for x in facts
    ]
    upsert(conn, stock_take, rows)


def apply_take_closed(conn: Connection, facts: Sequence[AppliedFact[f.StockTakeClosed]]) -> None:
    """A count ends with its figures."""
    rows = [
        {name: getattr(x.payload, name) for name in _COUNTS}
        | {
            "author": x.author,
            "take_id": x.payload.take_id,
            "state": "dropped" if x.payload.dropped else "closed",
            "closed_at_ms": x.occurred.at_ms,
            "closed_by": x.actor,
        }
        for x in facts
    ]
    update_each(conn, stock_take, ("author", "take_id"), rows)


def apply_difference_posted(conn: Connection, facts: Sequence[AppliedFact[f.StockDifferencePosted]]) -> None:
    """What a count found to differ."""
    rows = [
        {name: getattr(x.payload, name) for name in _DIFFERENCE}
        | {
            "author": x.author,
            "difference_id": x.payload.difference_id,
            "posted_at_ms": x.occurred.at_ms,
            "posted_by": x.actor,
        }
        for x in facts
    ]
    upsert(conn, stock_difference, rows)


def apply_goods_described(conn: Connection, facts: Sequence[AppliedFact[f.GoodsDescribed]]) -> None:
    """An item; the last description stands."""
    rows = [
        {"author": x.author, "item": x.payload.item} | {name: getattr(x.payload, name) for name in _GOODS}
        for x in facts
    ]
    upsert(conn, goods, rows, update=_GOODS)


def apply_goods_booked(conn: Connection, facts: Sequence[AppliedFact[f.GoodsBooked]]) -> None:
    """The line of the booking, and what lies there after it as its author reckoned."""
    rows = [
        {"author": x.author, "at_ms": x.occurred.at_ms, "actor": x.actor}
        | {name: getattr(x.payload, name) for name in _BOOKING}
        for x in facts
    ]
    upsert(conn, goods_booking, rows)
    after = [
        {
            "author": x.author,
            "item": x.payload.item,
            "place": x.payload.place,
            "quantity": x.payload.balance,
            "booked_at_ms": x.occurred.at_ms,
        }
        for x in facts
    ]
    upsert(conn, goods_stock, after, update=["quantity", "booked_at_ms"])


def apply_take_over_begun(conn: Connection, facts: Sequence[AppliedFact[f.TakeOverBegun]]) -> None:
    """A take-over, not complete yet."""
    rows = [
        {
            "author": x.author,
            "take_over_id": x.payload.take_over_id,
            "title": x.payload.title,
            "pieces": x.payload.pieces,
            "operations": x.payload.operations,
            "state": "begun",
            "begun_at_ms": x.occurred.at_ms,
            "ended_at_ms": None,
            "actor": x.actor,
            "reason": "",
        }
        for x in facts
    ]
    upsert(conn, take_over, rows)


def apply_take_over_ended(conn: Connection, facts: Sequence[AppliedFact[f.TakeOverEnded]]) -> None:
    """A take-over is complete."""
    _state(conn, [(x.author, x.payload.take_over_id, "done", x.occurred.at_ms, "") for x in facts])


def apply_take_over_reversed(conn: Connection, facts: Sequence[AppliedFact[f.TakeOverReversed]]) -> None:
    """Pieces and steps leave the books as if they had never been in them; the facts stay in the journal."""
    for x in facts:
        take_out(conn, x.author, x.payload.material_ids, x.payload.operation_ids)
    _state(
        conn,
        [
            (x.author, x.payload.take_over_id, "reversed", x.occurred.at_ms, x.payload.reason)
            for x in facts
            if x.payload.whole
        ],
    )


def _state(conn: Connection, changes: Sequence[tuple[str, str, str, int, str]]) -> None:
    rows = [
        {"author": author, "take_over_id": one, "state": state, "ended_at_ms": at_ms, "reason": reason}
        for author, one, state, at_ms, reason in changes
    ]
    update_each(conn, take_over, ("author", "take_over_id"), rows)


def register(appliers: Appliers) -> None:
    """Give the journal the appliers of this subject."""
    appliers.add(f.CraneJobPlanned, apply_job_planned)
    appliers.add(f.CraneJobClosed, apply_job_closed)
    appliers.add(f.StockTakeOpened, apply_take_opened)
    appliers.add(f.StockTakeClosed, apply_take_closed)
    appliers.add(f.StockDifferencePosted, apply_difference_posted)
    appliers.add(f.GoodsDescribed, apply_goods_described)
    appliers.add(f.GoodsBooked, apply_goods_booked)
    appliers.add(f.TakeOverBegun, apply_take_over_begun)
    appliers.add(f.TakeOverEnded, apply_take_over_ended)
    appliers.add(f.TakeOverReversed, apply_take_over_reversed)
