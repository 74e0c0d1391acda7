"""Makes the database itself refuse to change or delete rows of a journal table.

A table may name one change that is no change of what it says ("unless", SQL over OLD and NEW): a fact's bytes that
moved to a verified archive file. And one row that may go ("lets_go", SQL over OLD): an entry of a branch that was given
up and stands, as it was, in the table of such entries.
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
  ELSE
    IF {lets_go} THEN RETURN OLD; END IF;
  END IF;
  RAISE EXCEPTION '% is append-only', TG_TABLE_NAME;
END $$ LANGUAGE plpgsql
"""
_POSTGRESQL = """
CREATE TRIGGER {name}_append_only BEFORE UPDATE OR DELETE ON {name}
FOR EACH ROW EXECUTE FUNCTION {function}()
"""


def statements(name: str, dialect: str, unless: str = "", lets_go: str = "") -> list[str]:
    """The DDL that guards one table, for migrations."""
    if dialect == "sqlite":
        return [
            _SQLITE.format(name=name, verb=verb, verb_lower=verb.lower(), when=_when(allowed))
            for verb, allowed in (("UPDATE", unless), ("DELETE", lets_go))
        ]
    if unless or lets_go:
        function = _FUNCTION_UNLESS.format(name=name, unless=unless or "FALSE", lets_go=lets_go or "FALSE")
        return [function, _POSTGRESQL.format(name=name, function=f"strandline_append_only_{name}")]
    return [_FUNCTION, _POSTGRESQL.format(name=name, function="strandline_append_only")]


def drop_statements(name: str, dialect: str) -> list[str]:
    """The DDL that takes a table's guard away, for a migration that puts another in its place."""
    if dialect == "sqlite":
        return [f"DROP TRIGGER {name}_no_update", f"DROP TRIGGER {name}_no_delete"]
    return [f"DROP TRIGGER {name}_append_only ON {name}"]


def append_only(table: Table, unless: str = "", lets_go: str = "") -> Table:
    """Guard a table wherever it is created from the metadata."""
    for dialect in ("sqlite", "postgresql"):
        for text in statements(table.name, dialect, unless, lets_go):
            event.listen(table, "after_create", _ddl(text).execute_if(dialect=dialect))
    return table


def _when(allowed: str) -> str:
    return f"\nWHEN NOT ({allowed})" if allowed else ""


def _ddl(text: str) -> DDL:
    return DDL(text.replace("%", "%%"))  # type: ignore[no-untyped-call]
