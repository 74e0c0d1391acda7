"""Column types and the marking of tables: every table is a projection, part of the journal, or local (design.md, 1)."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Column, MetaData, String, Table, Text
from sqlalchemy.types import TypeEngine

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)

Id: TypeEngine[str] = String(32)
Code: TypeEngine[str] = String(64)
Words: TypeEngine[str] = Text()
Int: TypeEngine[int] = BigInteger()
"""Grams, micrometres, milliseconds, ppm: always whole numbers of 64 bits."""


def projection_table(name: str, *parts: Any) -> Table:
    """A table rebuilt from the journal: its rows belong to the author of the facts that wrote them.

    The column `author` (node code) is added as first part of the primary key.
    """
    author: Column[str] = Column("author", String(64), primary_key=True, nullable=False)
    return Table(name, metadata, author, *parts, info={"kind": "projection"})


def local_table(name: str, *parts: Any) -> Table:
    """A table that belongs to this node alone: credentials, positions, settings; never facts."""
    return Table(name, metadata, *parts, info={"kind": "local"})


def journal_table(name: str, *parts: Any) -> Table:
    """A table of the journal itself: append-only (db/append_only.py makes the database refuse anything else)."""
    return Table(name, metadata, *parts, info={"kind": "journal"})


def tables_of_kind(kind: str) -> list[Table]:
    """All tables marked so, by name."""
    return sorted((t for t in metadata.tables.values() if t.info.get("kind") == kind), key=lambda t: t.name)
