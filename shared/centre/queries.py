"""Named reads of what the centre decides for plants."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, and_, select

from shared.centre.tables import domain_owner, sent_down, sent_down_answer


def owners_of(conn: Connection, plant: str) -> dict[str, str]:
    """Domain -> `plant` or `hub`, as the plant said last; empty before its first word."""
    c = domain_owner.c
    return {row.domain: row.owner for row in conn.execute(select(c.domain, c.owner).where(c.author == plant))}


def all_owners(conn: Connection) -> dict[str, dict[str, str]]:
    """Plant -> domain -> owner, of all plants that said so."""
    found: dict[str, dict[str, str]] = {}
    for row in conn.execute(select(domain_owner).order_by(domain_owner.c.author)):
        found.setdefault(row.author, {})[row.domain] = row.owner
    return found


def unanswered(conn: Connection, plant: str) -> Sequence[Row[Any]]:
    """What was sent to a plant and not answered by it, the oldest first."""
    s, a = sent_down.c, sent_down_answer.c
    answered = select(a.sent_id).where(a.author == plant, a.sent_id == s.sent_id).exists()
    return conn.execute(select(sent_down).where(s.plant == plant, ~answered).order_by(s.sent_ms, s.sent_id)).all()


def done_since(conn: Connection, plant: str, domain: str, from_ms: int) -> Sequence[Row[Any]]:
    """What was sent of a domain and done by the plant from a time on, each with `answered_ms`."""
    s, a = sent_down.c, sent_down_answer.c
    joined = select(sent_down, a.answered_ms).join_from(
        sent_down, sent_down_answer, and_(a.author == s.plant, a.sent_id == s.sent_id)
    )
    done = (s.plant == plant, s.domain == domain, a.outcome == "done", a.answered_ms >= from_ms)
    return conn.execute(joined.where(*done)).all()


def list_sent(conn: Connection, plant: str = "", after: str = "", limit: int = 50) -> Sequence[Row[Any]]:
    """What was sent, the youngest first, each with its answer (outcome None: none yet); at most limit + 1."""
    s, a = sent_down.c, sent_down_answer.c
    query = (
        select(sent_down, a.outcome, a.reason, a.answered_ms)
        .join_from(sent_down, sent_down_answer, and_(a.author == s.plant, a.sent_id == s.sent_id), isouter=True)
        .order_by(s.sent_id.desc())
        .limit(limit + 1)
    )
    query = query.where(s.plant == plant) if plant else query
    return conn.execute(query.where(s.sent_id < after) if after else query).all()
