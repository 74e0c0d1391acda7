"""Which database this is, apart from what it says: a restore in PostgreSQL's own ways changes it."""

from __future__ import annotations

from sqlalchemy import Connection, text

_POSTGRESQL = text(
    "SELECT (SELECT system_identifier FROM pg_control_system())"
    " || '/' || (SELECT oid FROM pg_database WHERE datname = current_database())"
    " || '/' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8)"
)
"""System identifier, database and timeline. The timeline from the write-ahead log's present file: that of the control
file (pg_control_checkpoint) stays the old one after a promotion until the next checkpoint is done."""


def database_mark(conn: Connection) -> str:
    """What differs after a point-in-time recovery, a failover, or a copy into another place; empty on SQLite, whose
    file knows nothing of itself."""
    if conn.dialect.name != "postgresql":
        return ""
    return str(conn.execute(_POSTGRESQL).scalar_one())
