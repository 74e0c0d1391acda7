"""Statements for the hottest reads: written with SQLAlchemy, compiled once a database, answered with the driver's tuples.

For a few hundred rows SQLAlchemy takes as long again as the database: it looks the statement up, binds each value, makes
rows that know their columns. Here a row is the driver's tuple; on SQLite a truth value therefore stays 0 or 1.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import msgspec
from sqlalchemy import ARRAY, ColumnElement, Connection, Select, String, bindparam, cast, func, select

from shared.db.driver import as_raised, execute
from shared.db.plans import keep_plan

ROWS_AT_ONCE = 1_000
"""Rows a streamed answer holds in memory."""

_FOR_ALL_ROWS = "SET LOCAL cursor_tuple_fraction = 1; SET LOCAL work_mem = '32MB'; SET LOCAL jit = off"
"""A stream wants all its rows, not the plan that has the first one soonest; 50,000 of them are sorted in memory; and what
compiling a statement to machine code takes off each row is less than it costs."""

Rows = list[tuple[Any, ...]]

_numbers = itertools.count(1)
"""Each streamed answer has a cursor of its own name on PostgreSQL."""


class Prepared:
    """A statement, made by `make(name of the database)` when it is first asked there, that finds its rows by keys. Values
    are texts, whole numbers and lists of texts (see listed()).

    Its plan is kept (shared/db/plans.py), but for one asked between writes: there keeping it costs two round trips."""

    def __init__(self, make: Callable[[str], Select[Any]], *, keeps_plan: bool = True) -> None:
        self._make = make
        self._keeps_plan = keeps_plan
        self._made: dict[str, tuple[str, dict[str, Any], tuple[str, ...]]] = {}

    def rows(self, conn: Connection, **values: Any) -> Rows:
        """All rows, read by the driver's own cursor within the connection's transaction; errors come as from any statement."""
        text, given = self._call(conn, values)
        if conn.dialect.name != "postgresql":
            return execute(conn, text, given).fetchall()
        driver: Any = conn.connection.driver_connection
        cursor = driver.cursor()
        try:
            if self._keeps_plan:
                keep_plan(conn, cursor)
            cursor.execute(text, given, prepare=self._keeps_plan or None, binary=True)  # no number is written and read
            return cursor.fetchall()  # type: ignore[no-any-return]
        except conn.dialect.loaded_dbapi.Error as error:
            raise as_raised(conn, text, error) from error
        finally:
            cursor.close()

    def batches(self, conn: Connection, **values: Any) -> Iterator[Rows]:
        """The rows in lists of at most ROWS_AT_ONCE, however many there are; the database keeps the rest."""
        text, given = self._call(conn, values)
        with closing(self._opened(conn, text, given)) as cursor:
            while batch := _next(conn, text, cursor):
                yield batch

    def _opened(self, conn: Connection, text: str, given: Any) -> Any:
        if conn.dialect.name != "postgresql":
            return execute(conn, text, given)
        driver: Any = conn.connection
        cursor = driver.cursor(f"strandline_{next(_numbers)}", binary=True)
        try:
            with driver.cursor() as plain:
                keep_plan(conn, plain)
                plain.execute(_FOR_ALL_ROWS)
            cursor.execute(text, given)
        except conn.dialect.loaded_dbapi.Error as error:
            cursor.close()
            raise as_raised(conn, text, error) from error
        return cursor

    def _call(self, conn: Connection, values: dict[str, Any]) -> tuple[str, tuple[Any, ...]]:
        name = conn.dialect.name
        made = self._made.get(name)
        if made is None:
            made = self._made[name] = self._compile(conn)
        text, constants, order = made
        given = constants | values if constants else values
        if name == "postgresql":
            return text, tuple([given[key] for key in order])
        return text, tuple([_as_json(v) if isinstance(v := given[key], list) else v for key in order])

    def _compile(self, conn: Connection) -> tuple[str, dict[str, Any], tuple[str, ...]]:
        """The text with values by their place, which costs the driver less than by name."""
        dialect = conn.dialect
        if dialect.name == "postgresql":
            dialect = type(dialect)(paramstyle="format")  # type: ignore[call-arg]
        compiled: Any = self._make(dialect.name).compile(dialect=dialect)
        constants = {key: value for key, value in compiled.params.items() if value is not None}
        return str(compiled), constants, tuple(compiled.positiontup or ())


def _next(conn: Connection, text: str, cursor: Any) -> Rows:
    try:
        return list(cursor.fetchmany(ROWS_AT_ONCE))
    except conn.dialect.loaded_dbapi.Error as error:
        raise as_raised(conn, text, error) from error


def _as_json(values: list[str]) -> str:
    return msgspec.json.encode(values).decode()


def unrolled(database: str, name: str) -> ColumnElement[str]:
    """The list of texts given as `name` as a column of rows."""
    if database == "postgresql":
        kind = ARRAY(String)
        return func.unnest(cast(bindparam(name, type_=kind), kind))
    return func.json_each(bindparam(name, type_=String)).table_valued("value").c.value


def listed(database: str, column: ColumnElement[Any], name: str) -> ColumnElement[bool]:
    """column IN the list of texts given as `name`: one parameter however many there are, so the statement stays one."""
    if database == "postgresql":
        kind = ARRAY(String)
        return column == func.any(cast(bindparam(name, type_=kind), kind))
    return column.in_(select(unrolled(database, name)))
