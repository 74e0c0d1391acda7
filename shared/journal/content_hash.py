"""One hash of everything an author's facts have become: equal at the author, at every full reader, after a rebuild.

Encoding "strandline-content-1": for each projection table by name, if it has rows of the author, one JSON line
[table, columns...], then one JSON line a row, sorted by primary key. Projections hold integers, text and no surrogate
keys of a node, so the same facts give the same lines on every database.

A column that a later release added has a default in the database, and is left out while no row says anything else: the
facts of a plant that does not know it yet give the same hash at a hub that does.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec
from sqlalchemy import Column, Connection, DefaultClause, Table, select

from shared.db.types import tables_of_kind
from shared.journal.sorting import sort_lines

VERSION = b"strandline-content-1\n"
BETWEEN = b"\0"
"""Between the parts of a key and the line: less than any byte of JSON, so lines sort as lists of the parts would."""

ROWS_AT_ONCE = 5_000
_encoder = msgspec.json.Encoder(order="deterministic")


def content_hash(conn: Connection, author: str) -> str:
    """SHA-256 over the author's rows in all projection tables. conn: a `picture` where others may write meanwhile."""
    total = hashlib.sha256(VERSION)
    for table in tables_of_kind("projection"):
        for line in _lines(conn, table, author):
            total.update(line)
    return total.hexdigest()


def table_hashes(conn: Connection, author: str) -> dict[str, str]:
    """The same, a table at a time: where a difference lies."""
    found = {}
    for table in tables_of_kind("projection"):
        total = hashlib.sha256()
        for line in _lines(conn, table, author):
            total.update(line)
        found[table.name] = total.hexdigest()
    return found


def authors(conn: Connection) -> list[str]:
    """Everyone whose facts have rows here."""
    found: set[str] = set()
    for table in tables_of_kind("projection"):
        found |= set(conn.execute(select(table.c.author).distinct()).scalars())
    return sorted(found)


def _lines(conn: Connection, table: Table, author: str) -> Iterator[bytes]:
    said = [c for c in sorted(table.columns, key=lambda column: column.name) if _says_something(conn, c, author)]
    places = [at for name in _key(table) for at, column in enumerate(said) if column.name == name]
    head = _encoder.encode([f"{table.name}", *(f"{column.name}" for column in said)]) + b"\n"
    for line in sort_lines(_keyed(_rows(conn, said, author), places)):
        if head:
            yield head
            head = b""
        yield line.rpartition(BETWEEN)[2]


def _key(table: Table) -> list[str]:
    return [column.name for column in table.primary_key.columns if column.name != "author"]


def _keyed(rows: Iterable[tuple[Any, ...]], places: Sequence[int]) -> Iterator[bytes]:
    """Each row's line behind its key. Sorted so, and not by the database: collations differ, the bytes of a key do not."""
    encode = _encoder.encode
    for row in rows:
        yield BETWEEN.join([*(encode(row[at]) for at in places), encode(row) + b"\n"])


def _rows(conn: Connection, columns: Sequence[Column[Any]], author: str) -> Iterator[tuple[Any, ...]]:
    query = select(*columns).where(columns[0].table.c.author == author)
    with conn.execute(query.execution_options(yield_per=ROWS_AT_ONCE)) as result:
        for row in result:
            yield tuple(row)


def _says_something(conn: Connection, column: Column[Any], author: str) -> bool:
    added_later = column.server_default
    if not isinstance(added_later, DefaultClause):
        return True
    silence = str(added_later.arg)
    return any(str(value) != silence for (value,) in _rows(conn, [column], author))
