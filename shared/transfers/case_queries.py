"""Named reads of cases and of episodes of waiting."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, func, or_, select

from shared.transfers.tables import awaiting_episode, receipt, transfer_case


def find_case(conn: Connection, case_id: str) -> Row[Any] | None:
    """One case."""
    return conn.execute(select(transfer_case).where(transfer_case.c.case_id == case_id)).first()


def find_cases(
    conn: Connection, *, state: str = "", kind: str = "", plant: str = "", q: str = "", after: str = "", limit: int = 50
) -> Sequence[Row[Any]]:
    """Cases, the youngest contradiction first."""
    c = transfer_case.c
    query = select(transfer_case)
    for column, value in ((c.state, state), (c.kind, kind)):
        if value:
            query = query.where(column == value)
    if plant:
        query = query.where(or_(c.from_plant == plant, c.to_plant == plant))
    if q:
        query = query.where(or_(c.piece_number.ilike(f"%{q}%"), c.shipment_number.ilike(f"%{q}%")))
    if after:
        query = query.where(c.case_id < after)
    return conn.execute(query.order_by(c.case_id.desc()).limit(limit)).all()


def cases_of_shipment(conn: Connection, shipment_id: str) -> Sequence[Row[Any]]:
    """Cases about one load."""
    c = transfer_case.c
    return conn.execute(select(transfer_case).where(c.shipment_id == shipment_id).order_by(c.case_id)).all()


def count_open_cases(conn: Connection) -> dict[str, int]:
    """Open cases by kind."""
    c = transfer_case.c
    query = select(c.kind, func.count()).where(c.state == "open").group_by(c.kind)
    return {row[0]: int(row[1]) for row in conn.execute(query)}


def find_episodes(conn: Connection, *, closed: bool | None = None, limit: int = 50) -> Sequence[Row[Any]]:
    """Episodes of waiting for a plant's data, the youngest first; `waiting` pieces wait now."""
    c, r = awaiting_episode.c, receipt.c
    now = (
        select(func.count())
        .select_from(receipt)
        .where(
            r.author == c.receiver,
            r.provisional.is_(True),
            r.shipment_number == c.shipment_number,
            c.closed.is_(False),
            or_(r.from_plant == c.plant, r.from_plant == ""),
        )
        .scalar_subquery()
    )
    query = select(awaiting_episode, now.label("waiting"))
    if closed is not None:
        query = query.where(c.closed.is_(closed))
    return conn.execute(query.order_by(c.episode_id.desc()).limit(limit)).all()
