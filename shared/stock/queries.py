"""Named reads of yard and stores, the same at a plant and at the hub."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, func, select

from shared.db.bulk import among
from shared.material.tables import material, place_history
from shared.stock.tables import crane_job, goods, goods_booking, goods_stock, stock_difference, stock_take, take_over
from shared.transfers.tables import shipment_line

IDS_A_QUERY = 5_000


def live_at(conn: Connection, author: str, code: str) -> Sequence[Row[Any]]:
    """Pieces that are here and lie somewhere in a storage or area: at it, or at a place that begins with its code."""
    c = material.c
    begins = (c.place == code) | c.place.like(f"{code}-%") | c.place.like(f"{code} %")
    return conn.execute(select(material).where(c.author == author, c.state == "live", c.kind != "heat", begins)).all()


def live_in(conn: Connection, author: str, place: str) -> Sequence[Row[Any]]:
    """Pieces that lie at exactly this place: one stack."""
    c = material.c
    query = select(material).where(c.author == author, c.state == "live", c.kind != "heat", c.place == place)
    return conn.execute(query).all()


def since_of(conn: Connection, author: str, ids: Sequence[str]) -> dict[tuple[str, str], int]:
    """(piece, place) -> when it last came there, UTC ms."""
    c, found = place_history.c, dict[tuple[str, str], int]()
    for at in range(0, len(ids), IDS_A_QUERY):
        part = among(conn, c.material_id, list(ids[at : at + IDS_A_QUERY]))
        query = select(c.material_id, c.place, func.max(c.at_ms).label("at_ms")).where(c.author == author, part)
        found |= {(r.material_id, r.place): r.at_ms for r in conn.execute(query.group_by(c.material_id, c.place))}
    return found


def moves_between(conn: Connection, author: str, from_ms: int, to_ms: int) -> Sequence[Row[Any]]:
    """Places that pieces came to in a time, and the one each of them came from with since when it lay there (None: no
    earlier one), oldest first."""
    now, was = place_history.alias("now"), place_history.alias("was")
    same = and_(was.c.author == now.c.author, was.c.material_id == now.c.material_id, was.c.at_ms < now.c.at_ms)
    last = was.c.at_ms.desc(), was.c.fact_id.desc()
    before, since = (
        select(column).where(same).order_by(*last).limit(1).correlate(now).scalar_subquery()
        for column in (was.c.place, was.c.at_ms)
    )
    query: Select[Any] = select(
        now.c.material_id, now.c.place, now.c.at_ms, before.label("from_place"), since.label("from_ms")
    )
    in_time = (now.c.author == author, now.c.at_ms >= from_ms, now.c.at_ms < to_ms)
    return conn.execute(query.where(*in_time).order_by(now.c.at_ms)).all()


def loads_between(conn: Connection, author: str, from_ms: int, to_ms: int) -> Sequence[Row[Any]]:
    """Pieces that left on a load in a time, with the place in the books where they were taken from."""
    line, c = shipment_line.c, material.c
    same = and_(c.author == line.author, c.material_id == line.material_id)
    query: Select[Any] = select(line.material_id, c.place, line.departed_at_ms.label("at_ms"))
    query = query.join_from(shipment_line, material, same)
    in_time = (line.author == author, line.departed_at_ms >= from_ms, line.departed_at_ms < to_ms)
    # by when it was recorded, which the index knows: a departure is told at once or late, never before
    return conn.execute(query.where(*in_time, line.recorded_at_ms >= from_ms, ~line.withdrawn)).all()


def find_job(conn: Connection, author: str, job_id: str) -> Row[Any] | None:
    """A job of a crane, or None."""
    return conn.execute(select(crane_job).where(crane_job.c.author == author, crane_job.c.job_id == job_id)).first()


def open_jobs(conn: Connection, author: str, crane: str = "") -> Sequence[Row[Any]]:
    """What cranes have still to do, in the order of their lists, with where each piece lies now."""
    c = crane_job.c
    here = and_(material.c.author == c.author, material.c.material_id == c.material_id)
    query: Select[Any] = select(
        crane_job,
        material.c.place,
        material.c.mass_g,
        material.c.kind.label("piece_kind"),
        material.c.state.label("piece_state"),
    ).outerjoin(material, here)
    query = query.where(c.author == author, c.state == "open")
    return conn.execute(
        (query.where(c.crane == crane) if crane else query).order_by(c.crane, c.position, c.job_id)
    ).all()


def closed_jobs(conn: Connection, author: str, crane: str, limit: int) -> Sequence[Row[Any]]:
    """What a crane did last, youngest first."""
    c = crane_job.c
    query = select(crane_job).where(c.author == author, c.crane == crane, c.state != "open")
    return conn.execute(query.order_by(c.closed_at_ms.desc(), c.job_id).limit(limit)).all()


def last_position(conn: Connection, author: str, crane: str) -> int:
    """The highest position in a crane's list of open jobs, or 0."""
    c = crane_job.c
    query = select(func.max(c.position)).where(c.author == author, c.crane == crane, c.state == "open")
    return int(conn.execute(query).scalar() or 0)


def open_job_of(conn: Connection, author: str, material_id: str) -> Row[Any] | None:
    """The first open job for a piece, or None."""
    c = crane_job.c
    query = select(crane_job).where(c.author == author, c.material_id == material_id, c.state == "open")
    return conn.execute(query.order_by(c.position, c.job_id)).first()


def find_take(conn: Connection, author: str, take_id: str) -> Row[Any] | None:
    """A stock-take, or None."""
    c = stock_take.c
    return conn.execute(select(stock_take).where(c.author == author, c.take_id == take_id)).first()


def open_takes(conn: Connection, author: str) -> Sequence[Row[Any]]:
    """Counts that go on, oldest first."""
    c = stock_take.c
    query = select(stock_take).where(c.author == author, c.state == "open")
    return conn.execute(query.order_by(c.opened_at_ms, c.take_id)).all()


def closed_takes(conn: Connection, author: str, limit: int) -> Sequence[Row[Any]]:
    """Counts that are over, youngest first."""
    c = stock_take.c
    query = select(stock_take).where(c.author == author, c.state != "open")
    return conn.execute(query.order_by(c.opened_at_ms.desc(), c.take_id).limit(limit)).all()


def differences_of(conn: Connection, author: str, take_id: str) -> Sequence[Row[Any]]:
    """What a count found to differ."""
    c = stock_difference.c
    query = select(stock_difference).where(c.author == author, c.take_id == take_id)
    return conn.execute(query.order_by(c.kind, c.number, c.difference_id)).all()


def find_goods(conn: Connection, author: str, item: str) -> Row[Any] | None:
    """A counted item, or None."""
    return conn.execute(select(goods).where(goods.c.author == author, goods.c.item == item)).first()


def list_goods(conn: Connection, author: str, after: str = "", limit: int = 200) -> Sequence[Row[Any]]:
    """Counted items by name of the item."""
    c = goods.c
    query = select(goods).where(c.author == author, c.item > after)
    return conn.execute(query.order_by(c.item).limit(limit)).all()


def quantities(conn: Connection, author: str, items: Sequence[str]) -> dict[str, dict[str, int]]:
    """Item -> place -> quantity."""
    found: dict[str, dict[str, int]] = {item: {} for item in items}
    c = goods_stock.c
    query = select(goods_stock).where(c.author == author, among(conn, c.item, list(items))).order_by(c.item, c.place)
    for row in conn.execute(query):
        found[row.item][row.place] = row.quantity
    return found


def quantity_at(conn: Connection, author: str, item: str, place: str) -> int:
    """What lies of an item at a place."""
    c = goods_stock.c
    query = select(c.quantity).where(c.author == author, c.item == item, c.place == place)
    return int(conn.execute(query).scalar() or 0)


def bookings_of(conn: Connection, author: str, item: str, limit: int) -> Sequence[Row[Any]]:
    """Bookings of an item, youngest first; of all items for ''."""
    c = goods_booking.c
    query = select(goods_booking).where(c.author == author)
    query = query.where(c.item == item) if item else query
    return conn.execute(query.order_by(c.at_ms.desc(), c.booking_id.desc()).limit(limit)).all()


def find_take_over(conn: Connection, author: str, take_over_id: str) -> Row[Any] | None:
    """A take-over that was begun, or None."""
    c = take_over.c
    return conn.execute(select(take_over).where(c.author == author, c.take_over_id == take_over_id)).first()


def list_take_overs(conn: Connection, author: str) -> Sequence[Row[Any]]:
    """Take-overs, youngest first; a plant has few."""
    c = take_over.c
    query = select(take_over).where(c.author == author)
    return conn.execute(query.order_by(c.begun_at_ms.desc(), c.take_over_id)).all()
