"""A group several times over: copies of its pieces, numbers, steps and loads that share nothing, made by the database itself.

To write ten million pieces by the rules of their steps takes an hour of a core; of a million that were, nine copies take
minutes. A copy has the same graph in other ids, which lie together in every index as those of other years would, and other
numbers. Only what searches, traces and recalls read is copied.
"""

from __future__ import annotations

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Engine,
    String,
    Table,
    case,
    func,
    insert,
    literal,
    select,
    text,
)

from shared.db.engine import write
from shared.material.tables import alias, edge, material
from shared.transfers.tables import shipment, shipment_line

COPIED = (material, alias, edge, shipment, shipment_line)
TIMES_MAX = 10
"""An id begins with its time, and that with a zero; a copy's begins with the copy's number, a digit."""
ID_LENGTH = 32
NUMBERS = ("value", "number", "heat_number")


def multiply(engine: Engine, times: int) -> None:
    """Have the database hold what it holds `times` over."""
    for table in COPIED:
        with write(engine) as conn:
            _without_indexes(conn, table, times)
    if engine.dialect.name == "postgresql":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
            conn.execute(text("VACUUM ANALYZE"))


def _without_indexes(conn: Connection, table: Table, times: int) -> None:
    """Indexes are made anew in one go, which is several times quicker than row by row."""
    for index in table.indexes:
        index.drop(conn, checkfirst=True)
    for copy in range(1, times):
        first = func.substr(_id_of(table), 1, 1) == "0"
        copied = select(*(_in_copy(column, str(copy)) for column in table.columns)).where(first)
        conn.execute(insert(table).from_select([column.name for column in table.columns], copied))
    for index in table.indexes:
        index.create(conn, checkfirst=True)


def _in_copy(column: Column[str], copy: str) -> ColumnElement[str]:
    """An id, or a printed number, as the copy has it; what else a row says it says there too."""
    if _is_id(column):
        return literal(copy) + func.substr(column, 2)
    if column.name in NUMBERS:
        return case((column == "", ""), else_=func.substr(column, 1, 2) + copy + func.substr(column, 3))
    return column


def _id_of(table: Table) -> Column[str]:
    return next(column for column in table.primary_key.columns if _is_id(column))


def _is_id(column: Column[str]) -> bool:
    return isinstance(column.type, String) and column.type.length == ID_LENGTH
