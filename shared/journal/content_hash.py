"""One hash of everything an author's facts have become: equal at the author, at every full reader, after a rebuild.

Encoding "strandline-content-1": for each projection table by name, if it has rows of the author, one JSON line
[table, columns...], then one JSON line a row, sorted by primary key. Projections hold integers, text and no surrogate
keys of a node, so the same facts give the same lines on every database.

A column that a later release added has a default in the database, and is left out while no row says anything else: the
facts of a plant that does not know it yet give the same hash at a hub that does.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
from sqlalchemy import Column, Connection, DefaultClause, Table, select

from shared.db.types import tables_of_kind

VERSION = b"strandline-content-1\n"
_encoder = msgspec.json.Encoder(order="deterministic")


def content_hash(conn: Connection, author: str) -> str:
    """SHA-256 over the author's rows in all projection tables."""
    total = hashlib.sha256(VERSION)
    for table in tables_of_kind("projection"):
        for line in _lines(conn, table, author):
            total.update(line)
    return total.hexdigest()


def table_hashes(conn: Connection, author: str) -> dict[str, str]:
    """The same, a table at a time: where a difference lies."""
    return {
        table.name: hashlib.sha256(b"".join(_lines(conn, table, author))).hexdigest()
        for table in tables_of_kind("projection")
    }


def authors(conn: Connection) -> list[str]:
    """Everyone whose facts have rows here."""
    found: set[str] = set()
    for table in tables_of_kind("projection"):
        found |= set(conn.execute(select(table.c.author).distinct()).scalars())
    return sorted(found)


def _lines(conn: Connection, table: Table, author: str) -> Iterator[bytes]:
    every = sorted(table.columns, key=lambda column: column.name)
    key = [column for column in table.primary_key.columns if column.name != "author"]
    # sorted here and not by the database: collations differ, the bytes of a key do not
    rows = [tuple(row) for row in conn.execute(select(*every).where(table.c.author == author))]
    if not rows:
        return
    said = [at for at, column in enumerate(every) if _says_something(column, (row[at] for row in rows))]
    if len(said) < len(every):
        rows = [tuple(row[at] for at in said) for row in rows]
    names = [f"{every[at].name}" for at in said]
    places = [names.index(column.name) for column in key]
    yield _encoder.encode([f"{table.name}", *names]) + b"\n"
    for row in sorted(rows, key=lambda r: [_encoder.encode(r[at]) for at in places]):
        yield _encoder.encode(row) + b"\n"


def _says_something(column: Column[Any], values: Iterable[Any]) -> bool:
    added_later = column.server_default
    if not isinstance(added_later, DefaultClause):
        return True
    silence = str(added_later.arg)
    return any(str(value) != silence for value in values)
