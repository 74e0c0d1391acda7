"""Insert-or-update in bulk, the same on both databases; the form every projection writes in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite


def upsert(
    conn: Connection,
    table: Table,
    rows: Sequence[Mapping[str, Any]],
    *,
    update: Sequence[str] = (),
    add: Sequence[str] = (),
) -> None:
    """Insert rows (all with the same keys); where the primary key exists, update the named columns, or leave it.

    Columns in `add` are summed onto what is there: additive roll-ups.
    """
    if not rows:
        return
    insert = postgresql.insert if conn.dialect.name == "postgresql" else sqlite.insert
    statement: Any = insert(table)
    key = [column.name for column in table.primary_key.columns]
    if update or add:
        new = {name: statement.excluded[name] for name in update}
        new |= {name: table.c[name] + statement.excluded[name] for name in add}
        statement = statement.on_conflict_do_update(index_elements=key, set_=new)
    else:
        statement = statement.on_conflict_do_nothing(index_elements=key)
    conn.execute(statement, [dict(row) for row in rows])
