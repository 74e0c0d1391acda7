"""Digests of an author's rows, to find out cheaply whether two nodes hold the same, and where they do not.

A row belongs to one of 256 buckets by its table and key; a bucket's digest is the SHA-256 of the sorted digests of its
rows, in the encoding of shared/journal/content_hash.py. Both sides must stand at the same place of the author's stream,
and their releases must make the same columns (`shape`); otherwise a difference means nothing.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import Connection, Table, select

from shared.db.types import tables_of_kind

VERSION = b"strandline-digest-1\n"
BUCKETS = 256
EMPTY = "0" * 64
"""Digest of a bucket without rows."""

ROWS_AT_ONCE = 5_000
_encoder = msgspec.json.Encoder(order="deterministic")


@dataclass(frozen=True)
class RowDigest:
    """One row: its table, its key as JSON without the author, and the SHA-256 of all its columns."""

    bucket: int
    table: str
    key: str
    digest: str


def shape() -> str:
    """SHA-256 over the names of all projected tables and columns: what rows this release makes."""
    total = hashlib.sha256(VERSION)
    for table in tables_of_kind("projection"):
        total.update(_encoder.encode([f"{table.name}", *column_names(table)]) + b"\n")
    return total.hexdigest()


def bucket_digests(conn: Connection, author: str) -> tuple[str, ...]:
    """The 256 digests of an author's rows, in the caller's transaction (which must be one picture)."""
    found: list[list[bytes]] = [[] for _ in range(BUCKETS)]
    for table in tables_of_kind("projection"):
        for key, line in _rows(conn, table, author):
            found[_bucket(key)].append(hashlib.sha256(line).digest())
    return tuple(hashlib.sha256(b"".join(sorted(rows))).hexdigest() if rows else EMPTY for rows in found)


def rows_in(conn: Connection, author: str, buckets: Collection[int]) -> Iterator[RowDigest]:
    """The rows of some buckets, by table, in no order."""
    for table in tables_of_kind("projection"):
        for key, line in _rows(conn, table, author):
            bucket = _bucket(key)
            if bucket in buckets:
                yield RowDigest(bucket, f"{table.name}", _key_text(key, table), hashlib.sha256(line).hexdigest())


def column_names(table: Table) -> list[str]:
    """The columns in the order in which a row is encoded."""
    return sorted(f"{column.name}" for column in table.columns)


def key_names(table: Table) -> list[str]:
    """The primary key without the author."""
    return [f"{column.name}" for column in table.primary_key.columns if column.name != "author"]


def _rows(conn: Connection, table: Table, author: str) -> Iterator[tuple[bytes, bytes]]:
    """(table and key, table and all columns) of each row, encoded."""
    names = column_names(table)
    places = [names.index(name) for name in key_names(table)]
    title = f"{table.name}".encode() + b"\n"
    query = select(*(table.c[name] for name in names)).where(table.c.author == author)
    result = conn.execute(query.execution_options(yield_per=ROWS_AT_ONCE))
    encode = _encoder.encode
    for row in result:
        values: tuple[Any, ...] = tuple(row)
        yield title + encode([values[at] for at in places]), title + encode(values)


def _bucket(key: bytes) -> int:
    return zlib.crc32(key) % BUCKETS


def _key_text(key: bytes, table: Table) -> str:
    return key[len(f"{table.name}") + 1 :].decode()
