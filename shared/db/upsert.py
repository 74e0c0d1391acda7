"""Insert-or-update in bulk, the same on both databases; the form every projection writes in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite


def upsert(conn: Connection, table: Table, rows: Sequence[Mapping[str, Any]], *, update: Sequence[str] = ()) -> None:
    """Insert rows (all with the same keys); where the primary key exists, update the named columns, or leave it."""
    if not rows:
        return
    insert = postgresql.insert if conn.dialect.name == "postgresql" else sqlite.insert
    statement: Any = insert(table)
    key = [column.name for column in table.primary_key.columns]
    if update:
        statement = statement.on_conflict_do_update(
            index_elements=key, set_={name: statement.excluded[name] for name in update}
        )
    else:
        statement = statement.on_conflict_do_nothing(index_elements=key)
    conn.execute(statement, [dict(row) for row in rows])
