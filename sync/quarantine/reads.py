"""Named reads of what is set aside, for pages, API and commands."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, Select, case, func, select, tuple_

from shared.errors import BadInput
from shared.journal.discard import discard_proposal, discarded
from shared.journal.quarantine import Place, blocked_subject, quarantine
from shared.journal.reading import Stored, entry_at
from sync.quarantine.errors import NotSetAside

SEPARATOR = "."
KEY = re.compile(r"([01])\.(.+)\.([0-9a-f]{32})\.(\d{1,19})")
"""A place in the list: whether it only waits, stream (which may hold dots), epoch, entry."""
HELD_SHOWN = 10
TEXT_MAX = 20_000
"""Characters of a fact that a page shows; a fact may have 256 KiB."""


@dataclass(frozen=True)
class Item:
    """One fact that is set aside, with all that people need to decide.

    text      its bytes, readable: indented JSON, or escaped where they are none
    holds_up  facts held because of it (first ones, and how many); waits_for those that hold it
    proposal  who proposed to discard it, when and why, or None
    """

    row: Row[Any]
    stored: Stored
    text: str
    subjects: tuple[str, ...]
    holds_up: Sequence[Row[Any]]
    held_count: int
    waits_for: Sequence[Row[Any]]
    proposal: Row[Any] | None


def list_set_aside(
    conn: Connection, filters: Mapping[str, str], after: str = "", limit: int = 50
) -> list[dict[str, Any]]:
    """What people must deal with, then what only waits for it, each in order of place.

    Filters: state, author, type, q (part of the reason, or a fact's id).
    """
    q, p = quarantine.c, discard_proposal.c
    waits = case((q.state == "held", 1), else_=0)
    query = (
        select(quarantine, p.proposed_by)
        .join_from(quarantine, discard_proposal, (p.author == q.author) & (p.fact_id == q.fact_id), isouter=True)
        .order_by(waits, q.stream, q.epoch, q.seq)
        .limit(limit)
    )
    for name, column in (("state", q.state), ("author", q.author), ("type", q.type)):
        if filters.get(name):
            query = query.where(column == filters[name])
    if filters.get("q"):
        query = query.where((q.fact_id == filters["q"]) | q.reason.ilike(f"%{filters['q']}%"))
    if after:
        query = query.where(tuple_(waits, q.stream, q.epoch, q.seq) > tuple_(*_read_key(after)))
    return [_listed(dict(row)) for row in conn.execute(query).mappings()]


def get_item(conn: Connection, author: str, fact_id: str) -> Item:
    """One fact that is set aside; NotSetAside."""
    c = quarantine.c
    row = conn.execute(
        select(quarantine).where(c.author == author, c.fact_id == fact_id).order_by(c.stream, c.epoch, c.seq)
    ).first()
    stored = entry_at(conn, row.stream, row.epoch, row.seq) if row is not None else None
    if row is None or stored is None:
        raise NotSetAside(author, fact_id)
    place = (row.stream, row.epoch, row.seq)
    behind = _sharing(author, place).where(c.state == "held", tuple_(c.stream, c.epoch, c.seq) > tuple_(*place))
    before = _sharing(author, place).where(tuple_(c.stream, c.epoch, c.seq) < tuple_(*place))
    count = conn.execute(select(func.count()).select_from(behind.order_by(None).subquery())).scalar_one()
    p = discard_proposal.c
    return Item(
        row,
        stored,
        readable(stored.body),
        _subjects(conn, place),
        conn.execute(behind.limit(HELD_SHOWN)).all(),
        count,
        conn.execute(before.limit(HELD_SHOWN)).all() if row.state == "held" else (),
        conn.execute(select(discard_proposal).where(p.author == author, p.fact_id == fact_id)).first(),
    )


def list_discarded(conn: Connection, code: str, limit: int = 20) -> Sequence[Row[Any]]:
    """What this node gave up, the youngest first."""
    c = discarded.c
    query = select(discarded).where(c.author == code).order_by(c.discarded_at_ms.desc(), c.fact_id)
    return conn.execute(query.limit(limit)).all()


def count_set_aside(conn: Connection) -> dict[str, dict[str, int]]:
    """Author -> state -> how many, of authors with any."""
    counts: dict[str, dict[str, int]] = {}
    query = select(quarantine.c.author, quarantine.c.state, func.count()).group_by(
        quarantine.c.author, quarantine.c.state
    )
    for author, state, number in conn.execute(query.order_by(quarantine.c.author)):
        counts.setdefault(author, {"quarantined": 0, "parked": 0, "held": 0})[state] = int(number)
    return counts


def readable(body: bytes) -> str:
    """A fact's bytes for people: indented where they are JSON, else as escaped text."""
    try:
        text = msgspec.json.format(body, indent=2).decode()
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        text = body[:TEXT_MAX].decode("utf-8", "backslashreplace")
        text = "".join(c if c.isprintable() or c == "\n" else f"\\x{ord(c):02x}" for c in text)
    return text if len(text) <= TEXT_MAX else f"{text[:TEXT_MAX]}\n… {len(body)} bytes in all"


def _sharing(author: str, place: Place) -> Select[Any]:
    """Facts of the author that are set aside and share a subject with the one at this place."""
    mine, theirs = blocked_subject.alias(), blocked_subject.alias()
    at = (mine.c.stream, mine.c.epoch, mine.c.seq)
    places = (
        select(theirs.c.stream, theirs.c.epoch, theirs.c.seq)
        .join_from(theirs, mine, (theirs.c.author == mine.c.author) & (theirs.c.subject == mine.c.subject))
        .where(mine.c.author == author, *(column == value for column, value in zip(at, place, strict=True)))
    )
    c = quarantine.c
    return (
        select(quarantine)
        .where(c.author == author, tuple_(c.stream, c.epoch, c.seq).in_(places))
        .order_by(c.stream, c.epoch, c.seq)
    )


def _subjects(conn: Connection, place: Place) -> tuple[str, ...]:
    c = blocked_subject.c
    query = select(c.subject).where(c.stream == place[0], c.epoch == place[1], c.seq == place[2])
    return tuple(conn.execute(query.order_by(c.subject)).scalars())


def _listed(row: Mapping[str, Any]) -> dict[str, Any]:
    waits = int(row["state"] == "held")
    key = SEPARATOR.join((str(waits), row["stream"], row["epoch"], str(row["seq"])))
    return {**row, "key": key, "item": f"{row['author']}/{row['fact_id']}"}


def _read_key(key: str) -> tuple[int, str, str, int]:
    match = KEY.fullmatch(key)
    if match is None:
        raise BadInput("quarantine.cursor", "The page's cursor cannot be read.", todo="Begin at the first page.")
    return int(match[1]), match[2], match[3], int(match[4])
