"""The journal of a hub spread over several PostgreSQL servers by Citus: facts in parts, places in streams whole everywhere.

A fact stands in several streams (its author's and those that go down), so it lies by its id, under which it is looked up and
can be there once only, whatever a plant sends. Entries say where it stands: small, joined with everything, and so whole on
every server. Rows that pages show stay on the coordinator, as they were.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, Engine, text

from shared.db.engine import write
from shared.db.reference import drop_statements
from shared.errors import BadSetup

WHOLE = ("epoch", "entry", "entry_abandoned", "archive_segment")
SETTINGS = {
    # a fact is joined with the one before it, which lies elsewhere
    "citus.enable_repartition_joins": "on",
    # the guards that refuse a change go on to each shard, and look into other tables there
    "citus.enable_unsafe_triggers": "on",
    "citus.allow_nested_distributed_execution": "on",
}


def distribute(engine: Engine, shards: int) -> Sequence[str]:
    """Spread them over the servers that Citus knows; says what was done, nothing where it was done before. BadSetup.

    In one transaction. No other process may use the database meanwhile; rows that are there move too.
    """
    _check_kind(engine)
    with write(engine) as conn:
        _check_extension(conn)
        done = {row[0] for row in conn.execute(text("SELECT table_name::text FROM citus_tables"))}
        if "fact" in done:
            return ()
        for name, value in SETTINGS.items():
            _set(conn, name, value)
        # looks into another table for each statement: not within one shard. Both rows are stored in one transaction
        for statement in drop_statements("entry", "fact"):
            conn.execute(text(statement))
        for name in WHOLE:
            conn.execute(text(f"SELECT create_reference_table('{name}')"))
        conn.execute(text(f"SELECT create_distributed_table('fact', 'fact_id', shard_count => {shards})"))
    engine.dispose()  # the next connections have the database's new settings
    return (f"fact lies by its id in {shards} parts.", f"{', '.join(WHOLE)} are whole on every server.")


def _set(conn: Connection, name: str, value: str) -> None:
    """For this connection and all later ones, here and on every server: what a shard's guard asks counts there."""
    database = conn.engine.url.database
    command = f'ALTER DATABASE "{database}" SET {name} = {value}'
    conn.execute(text(f"SELECT set_config('{name}', '{value}', false)"))
    conn.execute(text(command))
    conn.execute(text("SELECT run_command_on_workers(:command)"), {"command": command})


def _check_kind(engine: Engine) -> None:
    if engine.dialect.name != "postgresql":
        raise BadSetup(
            "distribute.sqlite",
            "A journal on SQLite is one file; it cannot be spread over servers.",
            todo="Take the hub to PostgreSQL with Citus first (docs/scale.md).",
        )


def _check_extension(conn: Connection) -> None:
    version = conn.execute(text("SELECT extversion FROM pg_extension WHERE extname = 'citus'")).scalar()
    if version is None:
        raise BadSetup(
            "distribute.no_citus",
            "This database has no Citus: its tables cannot be spread over servers.",
            todo="Install the extension on the coordinator and every server, name it in shared_preload_libraries,"
            " CREATE EXTENSION citus in this database, add the servers (citus_add_node), then say this again.",
        )
