"""Many rows in one statement on PostgreSQL: columns as arrays, unnested there.

Row by row the driver spends most of its time on protocol messages; as arrays a row costs it about a quarter. SQLite has
no protocol: there executing the statement for each row is the quick way already.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ARRAY, Connection, Select, Table, bindparam, cast, func, insert, select
from sqlalchemy.dialects import postgresql, sqlite

Rows = Sequence[Mapping[str, Any]]


def insert_new(conn: Connection, table: Table, rows: Rows) -> int:
    """Insert rows (all with the same keys) and leave those alone whose key is there; returns how many were new."""
    if not rows:
        return 0
    if conn.dialect.name != "postgresql":
        return conn.execute(sqlite.insert(table).on_conflict_do_nothing(), [dict(row) for row in rows]).rowcount
    columns = tuple(rows[0])
    statement = from_arrays(table, columns).on_conflict_do_nothing().execution_options(preserve_rowcount=True)
    return conn.execute(statement, as_arrays(columns, rows)).rowcount


def insert_all(conn: Connection, table: Table, rows: Rows) -> None:
    """Insert rows (all with the same keys); a key that is there already is the database's error."""
    if not rows:
        return
    if conn.dialect.name != "postgresql":
        conn.execute(insert(table), [dict(row) for row in rows])
        return
    columns = tuple(rows[0])
    conn.execute(from_arrays(table, columns), as_arrays(columns, rows))


def from_arrays(table: Table, columns: Sequence[str]) -> postgresql.Insert:
    """INSERT INTO table (columns) SELECT unnest(:column), ... for use with as_arrays."""
    return postgresql.insert(table).from_select(list(columns), _unnested(table, columns))


def as_arrays(columns: Sequence[str], rows: Rows) -> dict[str, list[Any]]:
    """The parameters of from_arrays: each column's values, in the rows' order."""
    return {column: [row[column] for row in rows] for column in columns}


def _unnested(table: Table, columns: Sequence[str]) -> Select[Any]:
    kinds = [ARRAY(table.c[column].type) for column in columns]
    return select(
        *(func.unnest(cast(bindparam(name, type_=kind), kind)) for name, kind in zip(columns, kinds, strict=True))
    )
