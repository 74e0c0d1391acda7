"""Which life of a node this is: instance and incarnation in the database, the anchor file outside it.

A database that is older than its anchor was restored from a backup: numbers that the world has seen would be given
again. So the node opens a new epoch of each of its streams, and a new incarnation, before the first write, and its
numbers jump. A lagging anchor (crash between commit and write) is harmless; a missing one counts as a restore, and so
does another PostgreSQL cluster or timeline than at the last start.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Column, Connection, select, update

from shared.db.identity import database_mark
from shared.db.types import Code, Words, local_table
from shared.db.upsert import upsert
from shared.ids import random_key
from shared.journal.anchor import Anchor, Head
from shared.journal.highest import NOTHING, Outside, ahead_of, jump, read_outside
from shared.journal.journal import open_epoch
from shared.journal.reading import hash_at, last_entry
from shared.journal.tables import entry, entry_abandoned, epoch, head

node_life = local_table("node_life", Column("name", Code, primary_key=True), Column("value", Words, nullable=False))

Reason = Literal["", "older than its anchor", "no readable anchor", "another database or timeline"]
PEER = "incarnation of "


@dataclass(frozen=True)
class Identity:
    """Instance (one installation's uninterrupted life) and incarnation (one uninterrupted database)."""

    instance: str
    incarnation: str


@dataclass(frozen=True)
class Lost:
    """Entries first..last of an epoch that existed once and are not here."""

    stream: str
    epoch: str
    first: int
    last: int


@dataclass(frozen=True)
class Beginning:
    """What a start found: why it counts as a restore ('' for none), streams with a new epoch, and what is missing."""

    reason: Reason
    streams: tuple[str, ...]
    lost: tuple[Lost, ...]


def current_anchor(conn: Connection, node: str, outside: Outside = NOTHING) -> Anchor:
    """The anchor as the database would have it now."""
    identity = get_identity(conn)
    kept = read_outside(conn, outside)
    return Anchor(node, identity.instance, identity.incarnation, heads_of(conn), *kept, _peers(conn))


def get_identity(conn: Connection) -> Identity:
    """The stored identity; begin_life must have run once."""
    values = _values(conn)
    return Identity(values["instance"], values["incarnation"])


def renew_instance(conn: Connection) -> None:
    """A new epoch was opened in mid-life: from here on this installation is another one to its peers."""
    upsert(conn, node_life, [{"name": "instance", "value": random_key()}], update=["value"])


def note_peer(conn: Connection, peer: str, incarnation: str) -> str:
    """Remember a peer's incarnation; returns the one before when it is another, else ''."""
    before = _values(conn).get(PEER + peer, "")
    upsert(conn, node_life, [{"name": PEER + peer, "value": incarnation}], update=["value"])
    return before if before != incarnation else ""


def begin_life(conn: Connection, anchor: Anchor | None, now_ms: int, outside: Outside = NOTHING) -> Beginning:
    """At every start, before the first write: look whether this database is the one that was left, and open a new
    life of every stream if it is not.

    A backup that lacks no entry is no other life; yet a promise may have been made since it was taken, of which only
    the anchor tells.
    """
    values, mark = _values(conn), database_mark(conn)
    moved = values.get("database", mark) != mark
    heads = heads_of(conn)
    behind = [stream for stream, row in heads.items() if _is_behind(conn, stream, row, anchor)]
    forgotten = [s for s in (anchor.heads if anchor else {}) if s not in heads]
    numbers = ahead_of(conn, outside, anchor.counters) if anchor else []
    reason = _reason(anchor, moved, bool(behind or forgotten or numbers))
    fresh = {"database": mark}
    if reason or not values:
        fresh |= {"incarnation": random_key(), "instance": random_key()}
    upsert(conn, node_life, [{"name": n, "value": v} for n, v in fresh.items()], update=["value"])
    if not reason:
        _raise_floors(conn, anchor)
        return Beginning("", (), ())
    lost = _lost(conn, anchor) if anchor else ()
    streams = tuple(sorted({*heads, *forgotten}))
    for stream in streams:
        open_epoch(conn, stream, now_ms, reason="restored")
    _raise_floors(conn, anchor)
    jump(conn, outside, *((anchor.counters, anchor.floors) if anchor else ({}, {})))
    return Beginning(reason, streams, lost)


def _raise_floors(conn: Connection, anchor: Anchor | None) -> None:
    for stream, kept in anchor.heads.items() if anchor else ():
        raise_floor(conn, stream, kept.recorded_at_ms)


def raise_floor(conn: Connection, stream: str, at_ms: int) -> None:
    """No further fact of the stream is recorded before this time: its completeness up to there was promised."""
    lower = (head.c.stream == stream) & (head.c.recorded_at_ms < at_ms)
    conn.execute(update(head).where(lower).values(recorded_at_ms=at_ms))


def _reason(anchor: Anchor | None, moved: bool, older: bool) -> Reason:
    if older:
        return "older than its anchor" if anchor else "no readable anchor"
    return "another database or timeline" if moved else ""


def _values(conn: Connection) -> Mapping[str, str]:
    return {row.name: row.value for row in conn.execute(select(node_life))}


def _peers(conn: Connection) -> dict[str, str]:
    return {n.removeprefix(PEER): v for n, v in _values(conn).items() if n.startswith(PEER)}


def heads_of(conn: Connection) -> dict[str, Head]:
    """Where each of the node's own streams ends."""
    return {row.stream: Head(row.epoch, row.seq, row.hash, row.recorded_at_ms) for row in conn.execute(select(head))}


def _is_behind(conn: Connection, stream: str, row: Head, anchor: Anchor | None) -> bool:
    """Whether this database does not hold the place that the anchor remembers, or there is no anchor to tell."""
    if anchor is None:
        return conn.execute(select(entry.c.seq).where(entry.c.stream == stream).limit(1)).first() is not None
    kept = anchor.heads.get(stream)
    return kept is not None and not _holds(conn, stream, kept)


def _holds(conn: Connection, stream: str, kept: Head) -> bool:
    """Whether this place was ever here: in the journal, or in a branch that was given up since."""
    known = select(epoch.c.epoch).where(epoch.c.stream == stream, epoch.c.epoch == kept.epoch)
    if conn.execute(known).first() and hash_at(conn, stream, kept.epoch, kept.seq) == kept.hash:
        return True
    c = entry_abandoned.c
    place = (c.stream == stream) & (c.epoch == kept.epoch) & (c.seq == kept.seq) & (c.hash == kept.hash)
    return conn.execute(select(c.seq).where(place)).first() is not None


def _lost(conn: Connection, anchor: Anchor) -> tuple[Lost, ...]:
    found = []
    for stream, kept in sorted(anchor.heads.items()):
        have, _ = last_entry(conn, stream, kept.epoch)
        if have < kept.seq:
            found.append(Lost(stream, kept.epoch, have + 1, kept.seq))
    return tuple(found)
