"""Which life of a node this is: instance and incarnation in the database, the anchor file outside it.

A database that is older than its anchor was restored from a backup: numbers that the world has seen would be given
again. So the node opens a new epoch of each of its streams, and a new incarnation, before the first write. A lagging
anchor (crash between commit and write) is harmless; a missing one counts as a restore.
"""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
from sqlalchemy import Column, Connection, select

from shared.db.types import Code, Words, local_table
from shared.db.upsert import upsert
from shared.ids import random_key
from shared.journal.journal import open_epoch
from shared.journal.reading import hash_at
from shared.journal.tables import head

node_life = local_table("node_life", Column("name", Code, primary_key=True), Column("value", Words, nullable=False))


class Head(msgspec.Struct, frozen=True):
    """A stream's head as the anchor remembers it."""

    epoch: str
    seq: int
    hash: str


class Anchor(msgspec.Struct, frozen=True):
    """What the node knows of itself outside its database and its backups."""

    node: str
    instance: str
    incarnation: str
    heads: dict[str, Head]


class Identity(msgspec.Struct, frozen=True):
    """Instance (one installation's uninterrupted life) and incarnation (one uninterrupted database)."""

    instance: str
    incarnation: str


def read_anchor(file: Path) -> Anchor | None:
    """The anchor, or None where there is none or it cannot be read (both count as a restore)."""
    try:
        return msgspec.json.decode(file.read_bytes(), type=Anchor)
    except (FileNotFoundError, msgspec.DecodeError):
        return None


def write_anchor(file: Path, anchor: Anchor) -> None:
    """Replace the anchor durably: a crash leaves the old one or the new one."""
    fresh = file.with_suffix(".new")
    with fresh.open("wb") as out:
        out.write(msgspec.json.encode(anchor))
        out.flush()
        os.fsync(out.fileno())
    fresh.replace(file)
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def current_anchor(conn: Connection, node: str) -> Anchor:
    """The anchor as the database would have it now."""
    identity = get_identity(conn)
    heads = {row.stream: Head(row.epoch, row.seq, row.hash) for row in conn.execute(select(head))}
    return Anchor(node, identity.instance, identity.incarnation, heads)


def get_identity(conn: Connection) -> Identity:
    """The stored identity; begin_life must have run once."""
    values = {row.name: row.value for row in conn.execute(select(node_life))}
    return Identity(values["instance"], values["incarnation"])


def begin_life(conn: Connection, anchor: Anchor | None, now_ms: int) -> list[str]:
    """At every start, before the first write: returns the streams that got a new epoch because of a restore."""
    values = {row.name: row.value for row in conn.execute(select(node_life))}
    rolled_back = [stream for stream, row in _heads(conn).items() if _is_behind(conn, stream, row, anchor)]
    if anchor is not None:
        rolled_back += [s for s, kept in anchor.heads.items() if kept.seq and s not in _heads(conn)]
    fresh = not values
    if rolled_back or fresh:
        upsert(
            conn, node_life, [{"name": n, "value": random_key()} for n in ("incarnation", "instance")], update=["value"]
        )
    for stream in _heads(conn) if rolled_back else ():
        open_epoch(conn, stream, now_ms, reason="restored")
    return rolled_back


def _heads(conn: Connection) -> dict[str, Head]:
    return {row.stream: Head(row.epoch, row.seq, row.hash) for row in conn.execute(select(head))}


def _is_behind(conn: Connection, stream: str, row: Head, anchor: Anchor | None) -> bool:
    """Whether this stream's head is older than, or beside, what the anchor remembers."""
    if anchor is None:
        return row.seq > 0
    kept = anchor.heads.get(stream)
    if kept is None:
        return False
    return kept.epoch != row.epoch or kept.seq > row.seq or hash_at(conn, stream, kept.epoch, kept.seq) != kept.hash
