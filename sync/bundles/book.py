"""The book of bundles: what was written and read, and which of a peer's words about our streams is its latest."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, func, select

from shared.db.upsert import upsert
from sync import marks
from sync.bundles.file import Head
from sync.bundles.tables import bundle
from sync.messages import EpochState


def enter(
    conn: Connection, head: Head, way: str, peer: str, now_ms: int, new_entries: int, size: int, outcome: str
) -> None:
    """Note a bundle as the latest of its way; one that is read again counts what it brought in all."""
    brought = select(bundle.c.new_entries).where(bundle.c.bundle == head.bundle, bundle.c.way == way)
    number = (conn.execute(select(func.max(bundle.c.number))).scalar() or 0) + 1
    row = {
        "bundle": head.bundle,
        "way": way,
        "number": number,
        "peer": peer,
        "incarnation": head.incarnation,
        "made_ms": head.sent_ms,
        "at_ms": now_ms,
        "entries": head.entries,
        "new_entries": new_entries + (conn.execute(brought).scalar() or 0),
        "bytes": size,
        "outcome": outcome,
    }
    upsert(conn, bundle, [row], update=["number", "at_ms", "new_entries", "bytes", "outcome"])


def believe(conn: Connection, peer: str, streams: Sequence[str], head: Head, now_ms: int) -> None:
    """Take what the peer says that it holds of our streams; to be called before the bundle is entered.

    Files arrive late and in any order, so the last word is not always the latest. Within one life of a peer what it
    holds only grows: the larger word counts. Between lives the smaller counts: the peer may have been restored, and
    sending again costs only the way. A word too large, from two old files in a row, is undone by the next new one.
    """
    last = conn.execute(
        select(bundle.c.incarnation)
        .where(bundle.c.peer == peer, bundle.c.way == "in")
        .order_by(bundle.c.number.desc())
        .limit(1)
    ).scalar()
    known = {(state.stream, state.epoch): state for state in marks.list_holdings(conn, peer, streams)}
    if last is None:
        marks.accept_holdings(conn, peer, streams, head.copies, now_ms)
    elif last == head.incarnation:
        further = [s for s in head.copies if s.seq > _seq(known.get((s.stream, s.epoch)))]
        marks.move_holdings(conn, peer, further, now_ms)
    else:
        sure = [min(s, known[s.stream, s.epoch], key=_seq) for s in head.copies if (s.stream, s.epoch) in known]
        marks.accept_holdings(conn, peer, streams, sure, now_ms)


def _seq(state: EpochState | None) -> int:
    return state.seq if state else 0
