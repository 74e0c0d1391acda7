"""Makes the database itself refuse to change or delete rows of a journal table."""

from __future__ import annotations

from sqlalchemy import DDL, Table, event

_SQLITE = """
CREATE TRIGGER {name}_no_{verb_lower} BEFORE {verb} ON {name}
BEGIN SELECT RAISE(ABORT, '{name} is append-only'); END
"""
_FUNCTION = """
CREATE OR REPLACE FUNCTION strandline_append_only() RETURNS trigger AS $$
BEGIN RAISE EXCEPTION '%% is append-only', TG_TABLE_NAME; END $$ LANGUAGE plpgsql
"""
_POSTGRESQL = """
CREATE TRIGGER {name}_append_only BEFORE UPDATE OR DELETE ON {name}
FOR EACH ROW EXECUTE FUNCTION strandline_append_only()
"""


def statements(name: str, dialect: str) -> list[str]:
    """The DDL that guards one table, for migrations."""
    if dialect == "sqlite":
        return [_SQLITE.format(name=name, verb=v, verb_lower=v.lower()) for v in ("UPDATE", "DELETE")]
    return [_FUNCTION.replace("%%", "%"), _POSTGRESQL.format(name=name)]


def append_only(table: Table) -> Table:
    """Guard a table wherever it is created from the metadata."""
    for verb in ("UPDATE", "DELETE"):
        ddl = _ddl(_SQLITE.format(name=table.name, verb=verb, verb_lower=verb.lower()))
        event.listen(table, "after_create", ddl.execute_if(dialect="sqlite"))
    for text in (_FUNCTION, _POSTGRESQL.format(name=table.name)):
        event.listen(table, "after_create", _ddl(text).execute_if(dialect="postgresql"))
    return table


def _ddl(text: str) -> DDL:
    return DDL(text)  # type: ignore[no-untyped-call]
