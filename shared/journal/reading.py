"""Named reads of the journal: streams, epochs in order, entries with their facts, wherever their bytes are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import Connection, Select, bindparam, func, select

from shared.journal.archived import whole_bodies
from shared.journal.chain import GENESIS
from shared.journal.tables import entry, epoch, fact, head

SEQS_A_QUERY = 500

# what every exchange and every recording asks is built once: to build a statement costs more than to run it
_IN_EPOCH = (entry.c.stream == bindparam("of")) & (entry.c.epoch == bindparam("in_epoch"))
_LAST_ENTRY = select(entry.c.seq, entry.c.hash).where(_IN_EPOCH).order_by(entry.c.seq.desc()).limit(1)
_HASH_AT = select(entry.c.hash).where(_IN_EPOCH, entry.c.seq == bindparam("at"))

_other = entry.alias()
_last_seq = select(func.max(_other.c.seq)).where(_other.c.stream == epoch.c.stream, _other.c.epoch == epoch.c.epoch)
_LIVES = (
    select(epoch, entry.c.seq, entry.c.hash)
    .join_from(
        epoch,
        entry,
        (entry.c.stream == epoch.c.stream)
        & (entry.c.epoch == epoch.c.epoch)
        & (entry.c.seq == _last_seq.scalar_subquery()),
        isouter=True,
    )
    .where(epoch.c.stream == bindparam("of"))
    .order_by(epoch.c.ordinal)
)


@dataclass(frozen=True)
class Life:
    """One epoch of a stream and how far it goes here; `parent` is where it grew from: (epoch, seq, hash)."""

    stream: str
    epoch: str
    ordinal: int
    seq: int
    hash: str
    parent: tuple[str, int, str] | None


class Stored(msgspec.Struct, frozen=True, gc=False):
    """An entry and the fact that stands there; author is the one the fact counts for.

    A struct, not a data class: journals are read by the million, and making one costs a tenth.
    """

    stream: str
    epoch: str
    seq: int
    hash: str
    fact_id: str
    author: str
    type: str
    version: int
    recorded_at_ms: int
    body: bytes
    origin: tuple[str, str, int] | None


def own_streams(conn: Connection) -> list[str]:
    """The streams this node writes, by name."""
    return list(conn.execute(select(head.c.stream).order_by(head.c.stream)).scalars())


def all_streams(conn: Connection) -> list[str]:
    """Every stream held here, written or copied: authors' own first, then the ways down, each by name.

    A way down carries facts of authors whose own stream is here too; applied before it, they would overtake their past.
    """
    found = conn.execute(select(epoch.c.stream).distinct()).scalars()
    return sorted(found, key=lambda stream: (">" in stream, stream))


def lives(conn: Connection, stream: str) -> list[Life]:
    """The epochs of a stream, oldest first, each with its last entry here."""
    return [
        Life(
            stream,
            row.epoch,
            row.ordinal,
            row.seq or 0,
            row.hash or GENESIS,
            (row.parent_epoch, row.parent_seq, row.parent_hash) if row.parent_epoch else None,
        )
        for row in conn.execute(_LIVES, {"of": stream})
    ]


def last_entry(conn: Connection, stream: str, epoch_id: str) -> tuple[int, str]:
    """Sequence number and hash of an epoch's last entry here; (0, GENESIS) when it has none."""
    row = conn.execute(_LAST_ENTRY, {"of": stream, "in_epoch": epoch_id}).first()
    return (row.seq, row.hash) if row else (0, GENESIS)


def hash_at(conn: Connection, stream: str, epoch_id: str, seq: int) -> str | None:
    """The chain's hash at one place; None where there is no such entry."""
    if seq == 0:
        return GENESIS
    return conn.execute(_HASH_AT, {"of": stream, "in_epoch": epoch_id, "at": seq}).scalar()


def entries_after(conn: Connection, stream: str, epoch_id: str, seq: int, limit: int) -> list[Stored]:
    """Up to `limit` entries of an epoch after a place, in order."""
    query = _stored().where(entry.c.stream == stream, entry.c.epoch == epoch_id, entry.c.seq > seq)
    rows = conn.execute(query.order_by(entry.c.seq).limit(limit)).all()
    return [_to_stored(row, body) for row, body in zip(rows, whole_bodies(conn, rows), strict=True)]


def entries_of_types(
    conn: Connection, stream: str, epoch_id: str, between: tuple[int, int], types: Sequence[str], limit: int
) -> list[Stored]:
    """Up to `limit` entries of an epoch whose facts are of these types, after the first place up to the second."""
    here = (entry.c.stream == stream, entry.c.epoch == epoch_id, fact.c.type.in_(types))
    query = _stored().where(*here, entry.c.seq > between[0], entry.c.seq <= between[1])
    rows = conn.execute(query.order_by(entry.c.seq).limit(limit)).all()
    return [_to_stored(row, body) for row, body in zip(rows, whole_bodies(conn, rows), strict=True)]


def entry_at(conn: Connection, stream: str, epoch_id: str, seq: int) -> Stored | None:
    """One entry with its fact, or None."""
    query = _stored().where(entry.c.stream == stream, entry.c.epoch == epoch_id, entry.c.seq == seq)
    row = conn.execute(query).first()
    return _to_stored(row, *whole_bodies(conn, [row])) if row else None


def entries_at(conn: Connection, stream: str, epoch_id: str, seqs: Sequence[int]) -> list[Stored]:
    """These entries of an epoch, in order; those that do not exist are left out."""
    found: list[Stored] = []
    for at in range(0, len(seqs), SEQS_A_QUERY):
        wanted = entry.c.seq.in_(seqs[at : at + SEQS_A_QUERY])
        query = _stored().where(entry.c.stream == stream, entry.c.epoch == epoch_id, wanted)
        rows = conn.execute(query.order_by(entry.c.seq)).all()
        found += [_to_stored(row, body) for row, body in zip(rows, whole_bodies(conn, rows), strict=True)]
    return found


def _stored() -> Select[Any]:
    return select(
        entry.c.stream,
        entry.c.epoch,
        entry.c.seq,
        entry.c.hash,
        entry.c.fact_id,
        entry.c.origin_stream,
        entry.c.origin_epoch,
        entry.c.origin_seq,
        fact.c.author,
        fact.c.type,
        fact.c.version,
        fact.c.recorded_at_ms,
        fact.c.body,
        fact.c.archived_in,
    ).join_from(entry, fact, entry.c.fact_id == fact.c.fact_id)


def _to_stored(row: Any, body: bytes) -> Stored:
    stream, epoch_id, seq, digest, fact_id, from_stream, from_epoch, from_seq, author, kind, version, at_ms, *_ = row
    origin = (from_stream, from_epoch, from_seq) if from_stream else None
    return Stored(stream, epoch_id, seq, digest, fact_id, author, kind, version, at_ms, body, origin)
