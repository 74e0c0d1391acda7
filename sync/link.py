"""How the lines stand: at a plant the line to its hub, at the hub the lines of its plants. For people and for pages."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from shared.db.upsert import upsert
from shared.journal.reading import entries_after
from sync.errors import Busy, EntryDamaged, StorageFull, WrongProtocol
from sync.lease import get_db_now_ms
from sync.marks import list_holdings
from sync.outgoing import states
from sync.positions import missing
from sync.tables import link, position, session

ONLINE = "online"
AWAY = "away"
NO_ROOM = "no_room"
"""The peer answers, and its disk is full: another trouble than a cut line, and another person's to mend."""
OTHER_PROTOCOL = "other_protocol"
"""The peer answers, and shares no protocol version: one of the two needs an upgrade."""
DAMAGED = "damaged"
"""The peer may well be there: an entry of ours was changed in our database, and nothing is sent past it."""
BUSY = "busy"
"""The peer answers, and asks to come back in a moment."""


@dataclass(frozen=True)
class LinkReport:
    """One line as it stands. Times in ms UTC of the node's clock.

    state      online | away | no_room | damaged | busy | other_protocol | never (no exchange yet)
    waiting    facts of ours that the peer does not hold durably
    oldest_ms  when the oldest of them was recorded, None when nothing waits
    offset_ms  the peer's clock minus ours, as last measured
    """

    peer: str
    state: str
    since_ms: int | None
    last_contact_ms: int | None
    waiting: int
    oldest_ms: int | None
    offset_ms: int
    reason: str


def note_contact(conn: Connection, peer: str, now_ms: int, offset_ms: int) -> None:
    """An exchange went well."""
    row = conn.execute(select(link).where(link.c.peer == peer)).first()
    since = row.since_ms if row and row.state == ONLINE else now_ms
    _put(conn, peer, ONLINE, since, now_ms, offset_ms, "")
    raise_floor(conn, peer, now_ms + offset_ms)


def raise_floor(conn: Connection, peer: str, signed_ms: int) -> None:
    """The peer signed this time: our own clock is wrong when it is below the highest such time."""
    conn.execute(link.update().where(link.c.peer == peer, link.c.floor_ms < signed_ms).values(floor_ms=signed_ms))


def time_floor(conn: Connection) -> int:
    """The highest time that any peer we call has signed, ms since 1970; 0 before the first."""
    return conn.execute(select(func.max(link.c.floor_ms))).scalar() or 0


def signed_by(conn: Connection, peer: str) -> int:
    """The highest time that this peer has signed, ms since 1970; 0 before its first word."""
    return conn.execute(select(link.c.floor_ms).where(link.c.peer == peer)).scalar() or 0


def state_after(error: Exception) -> str:
    """What an exchange that came to nothing says of the peer."""
    if isinstance(error, StorageFull):
        return NO_ROOM
    if isinstance(error, EntryDamaged):
        return DAMAGED
    if isinstance(error, WrongProtocol):
        return OTHER_PROTOCOL
    return BUSY if isinstance(error, Busy) and error.after_s else AWAY


def note_away(conn: Connection, peer: str, now_ms: int, reason: str, state: str = AWAY) -> None:
    """An exchange came to nothing; the first one in a row is the time since when."""
    row = conn.execute(select(link).where(link.c.peer == peer)).first()
    since = row.since_ms if row and row.state == state else now_ms
    _put(conn, peer, state, since, row.last_contact_ms if row else 0, row.offset_ms if row else 0, reason)


def report_link(conn: Connection, stream: str, peer: str) -> LinkReport:
    """The line to a peer that we call, and what of our stream still waits for it."""
    row = conn.execute(select(link).where(link.c.peer == peer)).first()
    count, oldest = _waiting(conn, stream, peer)
    if row is None:
        return LinkReport(peer, "never", None, None, count, oldest, 0, "")
    return LinkReport(
        peer, row.state, row.since_ms, row.last_contact_ms or None, count, oldest, row.offset_ms, row.reason
    )


def report_caller(conn: Connection, stream: str, peer: str, away_after_s: float) -> LinkReport:
    """The line of a peer that calls us: away when it has not called for so long in real time."""
    row = conn.execute(select(session).where(session.c.peer == peer)).first()
    count, oldest = _waiting(conn, stream, peer)
    if row is None:
        return LinkReport(peer, "never", None, None, count, oldest, 0, "")
    silent_ms = get_db_now_ms(conn) - row.contact_db_ms
    state = AWAY if silent_ms > away_after_s * 1000 else ONLINE
    since = row.last_contact_ms if state == AWAY else row.opened_ms
    return LinkReport(peer, state, since, row.last_contact_ms, count, oldest, row.offset_ms, "")


def complete_through(conn: Connection, peer: str) -> int | None:
    """Up to when the peer's own stream is complete here; None before its first word."""
    query = select(func.max(position.c.complete_through)).where(position.c.peer == peer, position.c.stream == peer)
    return conn.execute(query).scalar()


def _waiting(conn: Connection, stream: str, peer: str) -> tuple[int, int | None]:
    spans = missing(states(conn, stream), list_holdings(conn, peer, [stream]))
    if not spans:
        return 0, None
    first = entries_after(conn, stream, spans[0].epoch, spans[0].first - 1, 1)
    return sum(span.entries for span in spans), first[0].recorded_at_ms if first else None


def _put(conn: Connection, peer: str, state: str, since: int, contact: int, offset: int, reason: str) -> None:
    row = {
        "peer": peer,
        "state": state,
        "since_ms": since,
        "last_contact_ms": contact,
        "offset_ms": offset,
        "reason": reason[:500],
    }
    upsert(conn, link, [row], update=["state", "since_ms", "last_contact_ms", "offset_ms", "reason"])
