"""Insert-or-update in bulk, the same on both databases; the form every projection writes in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import sqlite

from shared.db.bulk import as_arrays, from_arrays
from shared.db.copying import Rows
from shared.db.fitting import check_fit
from shared.db.rowwise import run_each


def upsert(
    conn: Connection,
    table: Table,
    rows: Sequence[Mapping[str, Any]],
    *,
    update: Sequence[str] = (),
    add: Sequence[str] = (),
) -> None:
    """Insert rows (all with the same keys); where the primary key exists, update the named columns, or leave it.

    Columns in `add` are summed onto what is there: additive roll-ups. BadInput for a text longer than its column.
    """
    if not rows:
        return
    check_fit(table, rows)
    if conn.dialect.name != "postgresql":
        run_each(conn, _statement(table, tuple(update), tuple(add), ()), tuple(rows[0]), rows)
        return
    columns = tuple(rows[0])
    conn.execute(
        _statement(table, tuple(update), tuple(add), columns), as_arrays(columns, _once(table, rows, update, add))
    )


def _once(table: Table, rows: Rows, update: Sequence[str], add: Sequence[str]) -> Rows:
    """Each key once, as one statement needs it: what the rows would have come to one after another."""
    key = [column.name for column in table.primary_key.columns]
    merged: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in rows:
        place = tuple(row[name] for name in key)
        known = merged.get(place)
        if known is None:
            merged[place] = dict(row)
        else:
            known |= {name: row[name] for name in update} | {name: known[name] + row[name] for name in add}
    return list(merged.values())


@lru_cache(maxsize=1_000)
def _statement(table: Table, update: tuple[str, ...], add: tuple[str, ...], columns: tuple[str, ...]) -> Any:
    """Made once a table and set of columns: making one costs more than executing it. `columns`: on PostgreSQL."""
    statement: Any = from_arrays(table, columns) if columns else sqlite.insert(table)
    key = [column.name for column in table.primary_key.columns]
    if not update and not add:
        return statement.on_conflict_do_nothing(index_elements=key)
    new = {name: statement.excluded[name] for name in update}
    new |= {name: table.c[name] + statement.excluded[name] for name in add}
    return statement.on_conflict_do_update(index_elements=key, set_=new)
