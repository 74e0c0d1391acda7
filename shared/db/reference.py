"""A reference between two large tables that PostgreSQL checks once a statement, not once a row.

Its own foreign keys look at, lock and log the row that is referred to for each row that refers: a quarter of what
storing a batch costs there. Here a trigger looks for all rows of a statement at once, and one on the other table
refuses to let a row go that is still referred to. SQLite keeps its foreign key, which costs next to nothing.
"""

from __future__ import annotations

from sqlalchemy import DDL, Table, event

_REFERS = """
CREATE OR REPLACE FUNCTION strandline_{name}_refers() RETURNS trigger AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM came WHERE NOT EXISTS (SELECT 1 FROM {other} o WHERE o.{column} = came.{column})) THEN
    RAISE foreign_key_violation USING MESSAGE = '{name} names a row of {other} that is not there';
  END IF;
  RETURN NULL;
END $$ LANGUAGE plpgsql SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
"""
"""The plan is kept for the session and made when the tables may be empty: it has to be the one for full ones."""

_REFERRED = """
CREATE OR REPLACE FUNCTION strandline_{other}_referred() RETURNS trigger AS $$
BEGIN
  LOCK TABLE {name} IN SHARE ROW EXCLUSIVE MODE;
  IF EXISTS (SELECT 1 FROM gone JOIN {name} n ON n.{column} = gone.{column}) THEN
    RAISE foreign_key_violation USING MESSAGE = '{name} still names this row of {other}';
  END IF;
  RETURN NULL;
END $$ LANGUAGE plpgsql SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
"""
"""The lock waits for whoever is just inserting a row that refers, and keeps out who would."""

_TRIGGERS = (
    "CREATE TRIGGER {name}_refers AFTER INSERT ON {name} REFERENCING NEW TABLE AS came"
    " FOR EACH STATEMENT EXECUTE FUNCTION strandline_{name}_refers()",
    "CREATE TRIGGER {other}_referred AFTER DELETE ON {other} REFERENCING OLD TABLE AS gone"
    " FOR EACH STATEMENT EXECUTE FUNCTION strandline_{other}_referred()",
)
_DROPS = (
    "DROP TRIGGER {name}_refers ON {name}",
    "DROP TRIGGER {other}_referred ON {other}",
    "DROP FUNCTION strandline_{name}_refers()",
    "DROP FUNCTION strandline_{other}_referred()",
)


def statements(name: str, other: str, column: str) -> list[str]:
    """The DDL for PostgreSQL, for migrations: each row's column in `name` is that of a row in `other`.

    The tables themselves only take inserts and deletes: a change of the column is no matter of this.
    """
    return [text.format(name=name, other=other, column=column) for text in (_REFERS, _REFERRED, *_TRIGGERS)]


def drop_statements(name: str, other: str) -> list[str]:
    """The DDL that takes it away."""
    return [text.format(name=name, other=other) for text in _DROPS]


def refers(table: Table, other: Table, column: str) -> Table:
    """Check the reference wherever the table is created from the metadata; the other table is created before it."""
    for text in statements(table.name, other.name, column):
        made: DDL = DDL(text.replace("%", "%%"))  # type: ignore[no-untyped-call]
        event.listen(table, "after_create", made.execute_if(dialect="postgresql"))
    return table
