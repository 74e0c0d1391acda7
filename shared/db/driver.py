"""The database's driver by itself, for statements that run so often that SQLAlchemy's part would cost more than theirs.

Within the transaction of a SQLAlchemy connection, and with its errors.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError


def execute(conn: Connection, text: str, values: Sequence[Any]) -> sqlite3.Cursor:
    """One statement on SQLite; a write belongs into a transaction that was begun on `conn`."""
    try:
        return _sqlite(conn).execute(text, values)
    except sqlite3.Error as error:
        raise as_raised(conn, text, error) from error


def execute_each(conn: Connection, text: str, rows: Sequence[Sequence[Any]]) -> sqlite3.Cursor:
    """A writing statement on SQLite for each row of values."""
    try:
        return _sqlite(conn).executemany(text, rows)
    except sqlite3.Error as error:
        raise as_raised(conn, text, error) from error


BEGIN_TO_WRITE = "BEGIN IMMEDIATE"
"""A write is a write from its first word on: nobody else writes between what it reads and what it makes of that."""


def begin(conn: Connection) -> None:
    """Begin a write of SQLite's alone, on a connection that SQLAlchemy has within a transaction already."""
    try:
        _sqlite(conn).execute(BEGIN_TO_WRITE)
    except sqlite3.Error as error:
        raise _in_its_words(conn, BEGIN_TO_WRITE, error) from error


def commit(conn: Connection) -> None:
    """End SQLite's transaction alone: for SQLAlchemy the one it knows of goes on."""
    try:
        _sqlite(conn).commit()
    except sqlite3.Error as error:
        raise as_raised(conn, "COMMIT", error) from error


def as_raised(conn: Connection, text: str, error: BaseException) -> DBAPIError:
    """A driver's error as SQLAlchemy raises it from any statement, without the values; a lost connection is given up."""
    driver = conn.dialect.loaded_dbapi.Error
    lost = isinstance(error, driver) and conn.dialect.is_disconnect(error, conn.connection.driver_connection, None)
    if lost or transaction_is_over(conn):
        conn.invalidate(error)
    return _in_its_words(conn, text, error)


def _in_its_words(conn: Connection, text: str, error: BaseException) -> DBAPIError:
    driver = conn.dialect.loaded_dbapi.Error
    raised = DBAPIError.instance(text, None, error, driver, hide_parameters=True, dialect=conn.dialect)
    assert isinstance(raised, DBAPIError)
    return raised


def transaction_is_over(conn: Connection) -> bool:
    """Whether SQLite gave up a transaction that SQLAlchemy believes in, as it does when the disk is full or fails.

    What came after would be committed statement by statement, so nothing may: the connection is given up then.
    """
    if conn.dialect.name != "sqlite" or conn.invalidated or not conn.in_transaction():
        return False
    return not _sqlite(conn).in_transaction


def is_busy(error: DBAPIError) -> bool:
    """Whether SQLite waited for another's transaction, in vain."""
    return str(getattr(error.orig, "sqlite_errorname", "")).startswith("SQLITE_BUSY")


def _sqlite(conn: Connection) -> sqlite3.Connection:
    found: Any = conn.connection.dbapi_connection
    return found  # type: ignore[no-any-return]
