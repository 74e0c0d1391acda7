"""A group several times over: copies of its pieces, numbers, steps and loads that share nothing, made by the database itself.

To write ten million pieces by the rules of their steps takes an hour of a core; of those of some months, copies take
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
from sqlalchemy.schema import AddConstraint, DropConstraint

from shared.db.engine import write
from shared.material.tables import alias, edge, material
from shared.transfers.tables import shipment, shipment_line

COPIED = (material, alias, edge, shipment, shipment_line)
TIMES_MAX = 200
BORN = "01"
"""An id begins with its time, and that so until 2039; a copy's begins with the copy's own two digits."""
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
    keyless = conn.dialect.name == "postgresql"  # SQLite's tables keep their key
    if keyless:
        conn.execute(DropConstraint(table.primary_key))
    for index in table.indexes:
        index.drop(conn, checkfirst=True)
    taken = select(table).where(func.substr(_id_of(table), 1, len(BORN)) == BORN)
    kept = taken.into(f"own_{table.name}", temporary=True)
    conn.execute(kept)
    own = kept.table
    for copy in range(1, times):
        # one after the other, so that the rows of a heat lie together as they would
        copied = select(*(_in_copy(one, f"{copy + 1:02x}", f"{copy:03d}") for one in own.columns))
        conn.execute(insert(table).from_select([one.name for one in own.columns], copied))
    own.drop(conn)
    for index in table.indexes:
        index.create(conn, checkfirst=True)
    if keyless:
        conn.execute(AddConstraint(table.primary_key, isolate_from_table=False))


def _in_copy(one: Column[str], head: str, digits: str) -> ColumnElement[str]:
    """An id, or a printed number, as the copy has it; what else a row says it says there too."""
    if _is_id(one):
        return literal(head) + func.substr(one, len(BORN) + 1)
    if one.name in NUMBERS:
        return case((one == "", ""), else_=func.substr(one, 1, 2) + digits + func.substr(one, 3))
    return one


def _id_of(table: Table) -> Column[str]:
    return next(one for one in table.primary_key.columns if _is_id(one))


def _is_id(one: Column[str]) -> bool:
    return isinstance(one.type, String) and one.type.length == ID_LENGTH
