"""How a peer's clock stands to ours, from what each of its messages proves.

A message was sent no later than it came, and no earlier than the word of ours that it answers: two bounds on the
sender's clock minus ours, which lie as far apart as that round trip took. What was measured before is moved only as
far as the bounds demand. So a request that was under way for hours is not taken for a clock that is hours wrong.
"""

from __future__ import annotations

from sqlalchemy import Connection, select

from sync.tables import session


def bounded(known_ms: int | None, sent_ms: int, came_ms: int, answers_ms: int = 0) -> int:
    """The sender's clock minus ours, ms. known_ms: as measured before; answers_ms: by our clock, when we sent what this
    message answers, 0 if it answers nothing. Bounds that contradict each other mean that our own clock was moved since.
    """
    least_ms = sent_ms - came_ms
    if known_ms is None or answers_ms > came_ms:
        return least_ms
    at_least_ms = max(known_ms, least_ms)
    return min(at_least_ms, sent_ms - answers_ms) if answers_ms else at_least_ms


def measured(conn: Connection, peer: str) -> int | None:
    """The peer's clock minus ours, ms, as last measured; None before its first word."""
    return conn.execute(select(session.c.offset_ms).where(session.c.peer == peer)).scalar()


def measure_in_session(conn: Connection, peer: str, sent_ms: int, came_ms: int) -> None:
    """A message in the peer's session came: it answers our welcome."""
    row = conn.execute(select(session.c.offset_ms, session.c.opened_ms).where(session.c.peer == peer)).first()
    if row is not None:
        keep(conn, peer, bounded(row.offset_ms, sent_ms, came_ms, row.opened_ms))


def keep(conn: Connection, peer: str, offset_ms: int) -> None:
    """From here on it counts."""
    conn.execute(session.update().where(session.c.peer == peer).values(offset_ms=offset_ms))
