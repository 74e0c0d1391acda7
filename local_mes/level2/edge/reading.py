"""The other end's stream, read in order from where it was taken in; the same at the edge and at the plant."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, Engine, delete, select
from sqlalchemy.dialects.sqlite import insert

from local_mes.level2.edge.errors import not_understood
from local_mes.level2.edge.tables import place, taken
from shared.db.engine import read, write
from shared.db.upsert import upsert
from shared.journal.fact import AppliedFact, UnknownFact, decode
from shared.journal.reading import Stored, entries_after, lives

CHUNK = 200
"""Entries in one transaction."""

Take = Callable[[Connection, Sequence[AppliedFact[Any]]], None]


def take_next(journal: Engine, spool: Engine, stream: str, take: Take, now_ms: int) -> int:
    """Take in the next entries of a stream, in one transaction with its new place; returns how many, 0 when level.

    take: has the effect, on the spool's connection, of facts not taken in before. Unavailable for one that this release
    does not read: it and what follows wait where they are.
    """
    with read(spool) as conn:
        places = {row.epoch: row.seq for row in conn.execute(select(place).where(place.c.stream == stream))}
    with read(journal) as conn:
        entries = _next_entries(conn, stream, places)
    if not entries:
        return 0
    facts = [_decode(item) for item in entries]
    last = entries[-1]
    with write(spool) as conn:
        known = set(
            conn.execute(select(taken.c.fact_id).where(taken.c.fact_id.in_([f.fact_id for f in facts]))).scalars()
        )
        new = [one for one in facts if one.fact_id not in known]
        if new:
            take(conn, new)
            rows = [{"fact_id": one.fact_id, "at_ms": now_ms} for one in new]
            conn.execute(insert(taken).on_conflict_do_nothing(), rows)
        upsert(conn, place, [{"stream": stream, "epoch": last.epoch, "seq": last.seq}], update=["seq"])
    return len(entries)


def forget_taken(spool: Engine, before_ms: int) -> None:
    """Facts so old come no more: their places are behind the one kept."""
    with write(spool) as conn:
        conn.execute(delete(taken).where(taken.c.at_ms < before_ms))


def _next_entries(conn: Connection, stream: str, places: dict[str, int]) -> list[Stored]:
    for life in lives(conn, stream):
        after = places.get(life.epoch, 0)
        if after < life.seq:
            return entries_after(conn, stream, life.epoch, after, CHUNK)
    return []


def _decode(item: Stored) -> AppliedFact[Any]:
    try:
        return decode(item.body)
    except (UnknownFact, msgspec.DecodeError) as error:
        raise not_understood(item.stream, item.type, item.version) from error
