"""The schema that the revisions make is the schema in the code, on both databases, and the journal is guarded."""

from __future__ import annotations

import shutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, text
from sqlalchemy.exc import DatabaseError

import central_hub.wsgi
import local_mes.wsgi
from shared.db import migrate
from shared.db.engine import open_engine, read, write
from shared.db.types import metadata
from shared.errors import BadSetup
from tools import make_migration

BRANCHES = {"plant": local_mes.wsgi.MIGRATIONS, "hub": central_hub.wsgi.MIGRATIONS}
for _, modules in make_migration.BRANCHES.values():
    for module in modules:  # the tables that no node's process imports at its start, too
        import_module(module)


def tables_of(branch: str) -> set[str]:
    """Asked in a process of its own: here the tables of both kinds of node are known."""
    program = f"from tools.make_migration import tables_of; print(*tables_of({branch!r}))"
    root = Path(__file__).parents[3]
    return set(
        subprocess.run(
            [sys.executable, "-c", program], cwd=root, check=True, capture_output=True, text=True
        ).stdout.split()
    )


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Engine:
    if request.param == "sqlite":
        return open_engine(f"sqlite:///{tmp_path / 'empty.sqlite'}")
    return open_engine(request.getfixturevalue("postgres_url"))


@pytest.mark.parametrize("kind", ["plant", "hub"])
def test_the_revisions_make_what_the_code_expects(empty: Engine, kind: str) -> None:
    migrate.upgrade(empty, BRANCHES[kind])
    mine = tables_of("shared") | tables_of(kind)
    with read(empty) as conn:

        def include(thing: Any, name: str, kind: str, reflected: bool, _other: object) -> bool:
            if (kind, name, conn.dialect.name) == ("foreign_key_constraint", "fk_entry_fact_id", "postgresql"):
                return reflected  # a trigger checks it there (shared/db/reference.py)
            if name == "ix_alias_value_bytes":
                return False  # an index of an expression: what is read back lacks its collation; test_numbers asks its plan
            return (name if kind == "table" else thing.table.name) in mine

        context = MigrationContext.configure(conn, opts={"include_object": include})
        assert compare_metadata(context, metadata) == []
    migrate.check(empty, BRANCHES[kind])


def test_upgrading_twice_changes_nothing(empty: Engine) -> None:
    migrate.upgrade(empty, BRANCHES["plant"])
    migrate.upgrade(empty, BRANCHES["plant"])
    migrate.check(empty, BRANCHES["plant"])


@pytest.mark.parametrize("statement", ["DELETE FROM fact", "UPDATE fact SET author = 'X'"])
def test_the_journal_of_a_migrated_database_refuses_changes(empty: Engine, statement: str) -> None:
    migrate.upgrade(empty, BRANCHES["plant"])
    with write(empty) as conn:
        conn.execute(
            text(
                "INSERT INTO fact (fact_id, type, version, author, recorded_at_ms, body)"
                " VALUES ('f', 'T', 1, 'ALD', 1, :body)"
            ),
            {"body": b"{}"},
        )
    with pytest.raises(DatabaseError, match="append-only"), write(empty) as conn:
        conn.execute(text(statement))


def test_a_database_without_schema_is_refused_with_what_to_do(empty: Engine) -> None:
    with pytest.raises(BadSetup, match="upgrade"):
        migrate.check(empty, BRANCHES["hub"])


def test_a_database_of_a_newer_release_is_refused(empty: Engine) -> None:
    migrate.upgrade(empty, BRANCHES["hub"])
    with write(empty) as conn:
        conn.execute(text("UPDATE alembic_version SET version_num = 'hub_9999' WHERE version_num LIKE 'hub%'"))
        last = "(SELECT max(revision) FROM schema_reader WHERE revision LIKE 'hub%')"
        conn.execute(text(f"UPDATE schema_reader SET revision = 'hub_9999' WHERE revision = {last}"))
    with pytest.raises(BadSetup, match="newer"):
        migrate.check(empty, BRANCHES["hub"])


REVISION = """
revision = "{}"
down_revision = "{}"
branch_labels = None
depends_on = None
contracts = {}


def upgrade():
    pass
"""


def test_code_of_the_release_before_opens_a_database_that_only_grew(empty: Engine, tmp_path: Path) -> None:
    newer = tmp_path / "newer"
    shutil.copytree(BRANCHES["hub"], newer)
    latest = max((newer / "versions").glob("hub_*.py")).stem[:8]
    (newer / "versions" / "hub_9001.py").write_text(REVISION.format("hub_9001", latest, False))
    migrate.upgrade(empty, newer)
    migrate.check(empty, newer)
    migrate.check(empty, BRANCHES["hub"])
    (newer / "versions" / "hub_9002.py").write_text(REVISION.format("hub_9002", "hub_9001", True))
    migrate.upgrade(empty, newer)
    with pytest.raises(BadSetup, match="newer release"):
        migrate.check(empty, BRANCHES["hub"])
