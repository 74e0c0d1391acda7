"""COPY: PostgreSQL's own way in for many rows, with the driver's rows in its binary form.

A row costs the driver a tenth of what it does as elements of arrays, and the server half of what an INSERT does. What a
key forbids is an error of the whole statement: whoever expects rows that are there already uses a savepoint.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from sqlalchemy import BigInteger, Boolean, Connection, LargeBinary, String, Table

from shared.db.driver import as_raised

if TYPE_CHECKING:
    from psycopg import Copy, sql

Rows = Sequence[Mapping[str, Any]]

HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
"""What stands before rows that are made beforehand, and after them, and in place of a value that is none."""

TRAILER = b"\xff\xff"

NULL = b"\xff\xff\xff\xff"

_KINDS = ((BigInteger, "int8"), (Boolean, "bool"), (LargeBinary, "bytea"), (String, "text"))


def copy_in(conn: Connection, table: Table, rows: Rows) -> None:
    """Insert rows (all with the same two columns or more). The database's errors come as from any statement."""

    columns = tuple(rows[0])
    statement, kinds = _statement(table, columns)
    values = itemgetter(*columns)
    with _copying(conn, table, statement) as copy:
        copy.set_types(kinds)
        for row in rows:
            copy.write_row(values(row))


def copy_made(conn: Connection, table: Table, columns: tuple[str, ...], made: bytes) -> None:
    """Insert rows whose binary form is made already: HEADER, rows of these columns, TRAILER."""
    with _copying(conn, table, _statement(table, columns)[0]) as copy:
        copy.write(made)


def text_field(value: str) -> bytes:
    """A text in the binary form: its length in bytes, and its bytes."""
    raw = value.encode()
    return len(raw).to_bytes(4, "big") + raw


@contextmanager
def _copying(conn: Connection, table: Table, statement: sql.Composed) -> Iterator[Copy]:
    import psycopg  # a node on SQLite starts without it

    driver = conn.connection.driver_connection
    assert isinstance(driver, psycopg.Connection)
    try:
        with driver.cursor() as cursor, cursor.copy(statement) as copy:
            yield copy
    except psycopg.Error as error:
        raise as_raised(conn, f"COPY {table.name}", error) from error


@lru_cache(maxsize=100)
def _statement(table: Table, columns: tuple[str, ...]) -> tuple[sql.Composed, tuple[str, ...]]:
    from psycopg import sql

    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT BINARY)").format(sql.Identifier(table.name), names)
    return statement, tuple(_kind(table.c[name].type) for name in columns)


def _kind(column: object) -> str:
    return next(kind for cls, kind in _KINDS if isinstance(column, cls))
