"""What of a stream still waits for its reader: facts, about how many bytes, and since when."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from shared.journal.reading import entries_after
from sync.marks import list_holdings
from sync.outgoing import states
from sync.positions import missing
from sync.tables import position

SAMPLE = 200
"""Bytes are estimated from the first so many entries that wait: weighing a million would cost more than it tells."""


@dataclass(frozen=True)
class Waiting:
    """oldest_ms: when the first of them was recorded, None when nothing waits."""

    facts: int
    bytes: int
    oldest_ms: int | None


def held_to(conn: Connection, stream: str, epoch: str) -> int:
    """The last entry of an epoch of ours that every reader says it holds durably; 0 while there is no reader."""
    query = select(func.min(position.c.durable)).where(position.c.stream == stream, position.c.epoch == epoch)
    return conn.execute(query).scalar() or 0


def read_waiting(conn: Connection, stream: str, peer: str) -> Waiting:
    """What the peer does not hold of a stream of ours."""
    spans = missing(states(conn, stream), list_holdings(conn, peer, [stream]))
    if not spans:
        return Waiting(0, 0, None)
    first = entries_after(conn, stream, spans[0].epoch, spans[0].first - 1, min(SAMPLE, spans[0].entries))
    facts = sum(span.entries for span in spans)
    if not first:
        return Waiting(facts, 0, None)
    sampled = sum(len(item.body) for item in first)
    return Waiting(facts, sampled * facts // len(first), first[0].recorded_at_ms)
