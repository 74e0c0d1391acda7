"""Makes the database itself refuse to change or delete rows of a journal table.

A table may name one change that is no change of what it says ("unless", SQL over OLD and NEW): a fact's bytes that
moved to a verified archive file.
"""

from __future__ import annotations

from sqlalchemy import DDL, Table, event

_SQLITE = """
CREATE TRIGGER {name}_no_{verb_lower} BEFORE {verb} ON {name}{when}
BEGIN SELECT RAISE(ABORT, '{name} is append-only'); END
"""
_FUNCTION = """
CREATE OR REPLACE FUNCTION strandline_append_only() RETURNS trigger AS $$
BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$ LANGUAGE plpgsql
"""
_FUNCTION_UNLESS = """
CREATE OR REPLACE FUNCTION strandline_append_only_{name}() RETURNS trigger AS $$
BEGIN
  IF TG_OP = 'UPDATE' THEN
    IF {unless} THEN RETURN NEW; END IF;
  END IF;
  RAISE EXCEPTION '% is append-only', TG_TABLE_NAME;
END $$ LANGUAGE plpgsql
"""
_POSTGRESQL = """
CREATE TRIGGER {name}_append_only BEFORE UPDATE OR DELETE ON {name}
FOR EACH ROW EXECUTE FUNCTION {function}()
"""


def statements(name: str, dialect: str, unless: str = "") -> list[str]:
    """The DDL that guards one table, for migrations."""
    if dialect == "sqlite":
        return [
            _SQLITE.format(name=name, verb=verb, verb_lower=verb.lower(), when=_when(verb, unless))
            for verb in ("UPDATE", "DELETE")
        ]
    if unless:
        function = _FUNCTION_UNLESS.format(name=name, unless=unless)
        return [function, _POSTGRESQL.format(name=name, function=f"strandline_append_only_{name}")]
    return [_FUNCTION, _POSTGRESQL.format(name=name, function="strandline_append_only")]


def drop_statements(name: str, dialect: str) -> list[str]:
    """The DDL that takes a table's guard away, for a migration that puts another in its place."""
    if dialect == "sqlite":
        return [f"DROP TRIGGER {name}_no_update", f"DROP TRIGGER {name}_no_delete"]
    return [f"DROP TRIGGER {name}_append_only ON {name}"]


def append_only(table: Table, unless: str = "") -> Table:
    """Guard a table wherever it is created from the metadata."""
    for dialect in ("sqlite", "postgresql"):
        for text in statements(table.name, dialect, unless):
            event.listen(table, "after_create", _ddl(text).execute_if(dialect=dialect))
    return table


def _when(verb: str, unless: str) -> str:
    return f"\nWHEN NOT ({unless})" if unless and verb == "UPDATE" else ""


def _ddl(text: str) -> DDL:
    return DDL(text.replace("%", "%%"))  # type: ignore[no-untyped-call]
