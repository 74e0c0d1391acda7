"""Insert-or-update in bulk, the same on both databases; the form every projection writes in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite

from shared.db.fitting import check_fit


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
    if rows:
        check_fit(table, rows)
        conn.execute(_statement(table, tuple(update), tuple(add), conn.dialect.name), [dict(row) for row in rows])


@lru_cache(maxsize=1_000)
def _statement(table: Table, update: tuple[str, ...], add: tuple[str, ...], dialect: str) -> Any:
    """Made once a table and set of columns: making one costs more than executing it."""
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    statement: Any = insert(table)
    key = [column.name for column in table.primary_key.columns]
    if not update and not add:
        return statement.on_conflict_do_nothing(index_elements=key)
    new = {name: statement.excluded[name] for name in update}
    new |= {name: table.c[name] + statement.excluded[name] for name in add}
    return statement.on_conflict_do_update(index_elements=key, set_=new)
