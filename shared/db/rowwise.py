"""One statement for each of many rows on SQLite, by the driver itself: no protocol there, so the statement costs nothing
again, but binding the values by name through SQLAlchemy costs several times what SQLite takes to write the row.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.sql.dml import ValuesBase

from shared.db.driver import execute, execute_each

Take = Callable[[Mapping[str, Any]], tuple[Any, ...]]


def run_each(
    conn: Connection, statement: ValuesBase, columns: tuple[str, ...], rows: Sequence[Mapping[str, Any]]
) -> int:
    """Execute an INSERT or UPDATE of these columns for each row (values as the driver takes them: texts, whole numbers,
    truths, bytes, None); returns how many rows it wrote."""
    text, take = _compiled(statement, columns, conn.dialect)
    if not conn.in_transaction():
        conn.begin()  # as any statement would: nothing is written outside of one
    if len(rows) == 1:
        return execute(conn, text, take(rows[0])).rowcount
    return execute_each(conn, text, [take(row) for row in rows]).rowcount


@lru_cache(maxsize=1_000)
def _compiled(statement: ValuesBase, columns: tuple[str, ...], dialect: Any) -> tuple[str, Take]:
    """The text, and how a row becomes its values. Kept by the statement itself: whoever calls keeps theirs too."""
    made = statement.compile(dialect=dialect, column_keys=list(columns))
    order = tuple(made.positiontup or ())
    if len(order) == 1:
        only = order[0]
        return str(made), lambda row: (row[only],)
    return str(made), itemgetter(*order)
