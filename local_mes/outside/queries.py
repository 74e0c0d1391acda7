"""Named reads of what outside parties sent, of their tokens and of links."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, func, select

from local_mes.outside.tables import load_link, party_event, party_token


def find_event(conn: Connection, party: str, event_key: str) -> Row[Any] | None:
    """What this party said under this event id before, or None."""
    c = party_event.c
    return conn.execute(select(party_event).where(c.party == party, c.event_key == event_key)).first()


def find_statement(conn: Connection, statement_id: str) -> Row[Any] | None:
    """One entry by its own id."""
    return conn.execute(select(party_event).where(party_event.c.statement_id == statement_id)).first()


def list_events(
    conn: Connection, *, state: str = "", party: str = "", after: str = "", limit: int = 50
) -> Sequence[Row[Any]]:
    """What was sent, the youngest first."""
    c = party_event.c
    query = select(party_event).order_by(c.statement_id.desc()).limit(limit)
    for column, value in ((c.state, state), (c.party, party)):
        query = query.where(column == value) if value else query
    return conn.execute(query.where(c.statement_id < after) if after else query).all()


def count_open(conn: Connection) -> int:
    """Entries on the work-list."""
    query = select(func.count()).select_from(party_event).where(party_event.c.state == "open")
    return conn.execute(query).scalar_one()


def tokens_of(conn: Connection, party: str = "") -> Sequence[Row[Any]]:
    """Tokens given out, revoked ones included, the youngest first."""
    query = select(party_token).order_by(party_token.c.token_id.desc())
    return conn.execute(query.where(party_token.c.party == party) if party else query).all()


def links_of(conn: Connection, shipment_id: str) -> Sequence[Row[Any]]:
    """Links to a load, the youngest first."""
    query = select(load_link).where(load_link.c.shipment_id == shipment_id)
    return conn.execute(query.order_by(load_link.c.link_id.desc())).all()


def find_link(conn: Connection, link_id: str) -> Row[Any] | None:
    """A link, in force or not."""
    return conn.execute(select(load_link).where(load_link.c.link_id == link_id)).first()
