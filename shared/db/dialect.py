"""INSERT with ON CONFLICT in the words of the database at hand. PostgreSQL's are loaded by nodes that have one: a node on
SQLite would spend a thirtieth of its start on them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import sqlite

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql


def insert_into(conn: Connection, table: Table) -> postgresql.Insert | sqlite.Insert:
    """INSERT INTO table for this connection's database."""
    return postgresql_insert(table) if conn.dialect.name == "postgresql" else sqlite.insert(table)


def postgresql_insert(table: Table) -> postgresql.Insert:
    """INSERT INTO table for PostgreSQL."""
    from sqlalchemy.dialects import postgresql

    return postgresql.insert(table)
