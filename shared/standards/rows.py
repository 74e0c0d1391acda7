"""Changing rows of a fact's author, and of nobody else."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Table, update

from shared.journal.fact import AppliedFact


def change(conn: Connection, table: Table, fact: AppliedFact[Any], key: dict[str, Any], **values: Any) -> None:
    """Change one row of the fact's author."""
    where = [table.c.author == fact.author, *(table.c[name] == value for name, value in key.items())]
    conn.execute(update(table).where(*where).values(**values))
