"""Many rows in one statement on PostgreSQL: new ones by COPY, others with their columns as arrays, unnested there.

Row by row the driver spends most of its time on protocol messages; as arrays a row costs it about a quarter, by COPY a
tenth of that (shared/db/copying.py). SQLite has no protocol: there executing the statement for each row is the quick
way already.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Connection,
    Insert,
    Select,
    Table,
    Update,
    bindparam,
    cast,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import IntegrityError
from sqlalchemy.sql.dml import ValuesBase

from shared.db.copying import Rows, copy_in
from shared.db.dialect import postgresql_insert
from shared.db.rowwise import run_each

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql

COPY_FROM = 50
"""Rows from which on COPY is worth its further round trips."""

UNIQUE_VIOLATION = "23505"
"""PostgreSQL's own number for a key that is there already."""


def insert_new(conn: Connection, table: Table, rows: Rows) -> int:
    """Insert rows (all with the same keys) and leave those alone whose key is there; returns how many were new."""
    if not rows:
        return 0
    if conn.dialect.name != "postgresql":
        return run_each(conn, _insert_missing(table), tuple(rows[0]), rows)
    if len(rows) >= COPY_FROM and _all_copied(conn, table, rows):
        return len(rows)
    columns = tuple(rows[0])
    statement = from_arrays(table, columns).on_conflict_do_nothing().execution_options(preserve_rowcount=True)
    return conn.execute(statement, as_arrays(columns, rows)).rowcount


def _all_copied(conn: Connection, table: Table, rows: Rows) -> bool:
    """Whether all rows were new, and are there now; else none is."""
    try:
        with conn.begin_nested():
            copy_in(conn, table, rows)
    except IntegrityError as error:
        if not is_taken(error):
            raise
        return False
    return True


def is_taken(error: IntegrityError) -> bool:
    """Whether PostgreSQL refused because a key is there already."""
    return getattr(error.orig, "sqlstate", "") == UNIQUE_VIOLATION


def insert_all(conn: Connection, table: Table, rows: Rows) -> None:
    """Insert rows (all with the same keys); a key that is there already is the database's error."""
    if not rows:
        return
    if conn.dialect.name != "postgresql":
        run_each(conn, _insert(table), tuple(rows[0]), rows)
        return
    if len(rows) >= COPY_FROM:
        copy_in(conn, table, rows)
        return
    columns = tuple(rows[0])
    conn.execute(_insert_many(table, columns), as_arrays(columns, rows))


def update_each(
    conn: Connection, table: Table, key: Sequence[str], rows: Rows, *, add: Sequence[str] = (), keep: Sequence[str] = ()
) -> None:
    """Update the row of each key (the same columns in all), as if one after another; keys without a row change nothing.

    Columns in `add` are summed onto what is there; None in a column of `keep` leaves what is there.
    """
    if not rows:
        return
    merged = list(_merge(key, rows, add, keep).values())
    if conn.dialect.name != "postgresql":
        names = tuple(rows[0])
        given = [{f"given_{name}": row[name] for name in names} for row in merged]
        run_each(conn, _update_one(table, tuple(key), names, tuple(add), tuple(keep)), (), given)
        return
    columns = tuple(rows[0])
    conn.execute(_update_many(table, tuple(key), columns, tuple(add), tuple(keep)), as_arrays(columns, merged))


def among(conn: Connection, column: ColumnElement[Any], values: Collection[Any]) -> ColumnElement[bool]:
    """column IN values: one parameter on PostgreSQL, where each parameter costs, and as many as there are elsewhere."""
    if conn.dialect.name != "postgresql":
        return column.in_(values)
    kind = ARRAY(column.type)
    return column == func.any(cast(bindparam(None, list(values), type_=kind), kind))


def from_arrays(table: Table, columns: Sequence[str]) -> postgresql.Insert:
    """INSERT INTO table (columns) SELECT unnest(:column), ... for use with as_arrays."""
    return postgresql_insert(table).from_select(list(columns), _unnested(table, columns))


def as_arrays(columns: Sequence[str], rows: Rows) -> dict[str, list[Any]]:
    """The parameters of from_arrays: each column's values, in the rows' order."""
    return {f"given_{column}": [row[column] for row in rows] for column in columns}


def _unnested(table: Table, columns: Sequence[str]) -> Select[Any]:
    kinds = [ARRAY(table.c[column].type) for column in columns]
    return select(
        *(
            func.unnest(cast(bindparam(f"given_{name}", type_=kind), kind)).label(name)
            for name, kind in zip(columns, kinds, strict=True)
        )
    )


# made once a table and set of columns: making one costs more than executing it


@lru_cache(maxsize=500)
def _insert(table: Table) -> Insert:
    return insert(table)


@lru_cache(maxsize=500)
def _insert_missing(table: Table) -> ValuesBase:
    return sqlite.insert(table).on_conflict_do_nothing()


@lru_cache(maxsize=500)
def _insert_many(table: Table, columns: tuple[str, ...]) -> postgresql.Insert:
    return from_arrays(table, columns)


def _merge(key: Sequence[str], rows: Rows, add: Sequence[str], keep: Sequence[str]) -> dict[tuple[Any, ...], Any]:
    """Each key once, with what its rows come to one after another."""
    merged: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in rows:
        place = tuple(row[name] for name in key)
        known = merged.get(place)
        if known is None:
            merged[place] = dict(row)
            continue
        kept = {name: known[name] for name in keep if row[name] is None}
        merged[place] = {**row, **kept, **{name: known[name] + row[name] for name in add}}
    return merged


@lru_cache(maxsize=500)
def _update_one(
    table: Table, key: tuple[str, ...], columns: tuple[str, ...], add: tuple[str, ...], keep: tuple[str, ...]
) -> Update:
    given = {name: bindparam(f"given_{name}", type_=table.c[name].type) for name in columns}
    return _update(table, key, given, add, keep)


@lru_cache(maxsize=500)
def _update_many(
    table: Table, key: tuple[str, ...], columns: tuple[str, ...], add: tuple[str, ...], keep: tuple[str, ...]
) -> Update:
    given = _unnested(table, columns).subquery("given")
    return _update(table, key, dict(given.c.items()), add, keep)


def _update(
    table: Table, key: Sequence[str], given: Mapping[str, Any], add: Sequence[str], keep: Sequence[str]
) -> Update:
    new = {name: value for name, value in given.items() if name not in key}
    new |= {name: table.c[name] + given[name] for name in add}
    new |= {name: func.coalesce(given[name], table.c[name]) for name in keep}
    return update(table).where(*(table.c[name] == given[name] for name in key)).values(new)
