"""Revision shared_0004 on a database with facts in it, and the guards that it leaves, on both databases."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import Engine, text
from sqlalchemy.exc import DatabaseError

import local_mes.wsgi
from shared.db.engine import open_engine, read, write
from shared.db.migrate import configuration, upgrade
from shared.db.types import metadata

FACT = "INSERT INTO fact (fact_id, type, version, author, recorded_at_ms, body) VALUES (:id, 'T', 1, 'ALD', 1, :body)"
ENTRY = "INSERT INTO entry (stream, epoch, seq, hash, fact_id) VALUES ('ALD', 'e', :seq, 'h', :id)"
SEGMENT = "INSERT INTO archive_segment VALUES (1, 'ALD', 'e', 1, 1, 1, 'f', 's', 1, 1)"
ARCHIVE = "UPDATE fact SET body = :none, archived_in = 1 WHERE fact_id = :id"


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Engine:
    if request.param == "sqlite":
        return open_engine(f"sqlite:///{tmp_path / 'empty.sqlite'}")
    return open_engine(request.getfixturevalue("postgres_url"))


def test_facts_of_the_first_schema_stay_and_can_be_archived(empty: Engine) -> None:
    with write(empty) as conn:
        command.upgrade(configuration(local_mes.wsgi.MIGRATIONS, conn), "shared_0001")
        for number in (1, 2):
            conn.execute(text(FACT), {"id": f"f{number}", "body": b"bytes"})
            conn.execute(text(ENTRY), {"seq": number, "id": f"f{number}"})
    upgrade(empty, local_mes.wsgi.MIGRATIONS)
    with read(empty) as conn:
        rows = conn.execute(text("SELECT fact_id, body, archived_in FROM fact ORDER BY fact_id")).all()
    assert [(row[0], bytes(row[1]), row[2]) for row in rows] == [("f1", b"bytes", None), ("f2", b"bytes", None)]
    with pytest.raises(DatabaseError, match="append-only"), write(empty) as conn:
        conn.execute(text(ARCHIVE), {"none": b"", "id": "f1"})  # no such segment
    with write(empty) as conn:
        conn.execute(text(SEGMENT))
        conn.execute(text(ARCHIVE), {"none": b"", "id": "f1"})
    for statement, values in (
        (ARCHIVE, {"none": b"", "id": "f2"}),  # outside the segment
        (ARCHIVE, {"none": b"x", "id": "f1"}),
        ("UPDATE fact SET type = 'U' WHERE fact_id = 'f1'", {}),
        ("DELETE FROM fact WHERE fact_id = 'f2'", {}),
        ("DELETE FROM archive_segment", {}),
        ("UPDATE archive_segment SET file = 'x'", {}),
    ):
        with pytest.raises(DatabaseError, match="append-only"), write(empty) as conn:
            conn.execute(text(statement), values)


def test_the_guards_of_the_revisions_are_those_of_the_code(tmp_path: Path) -> None:
    def guards(engine: Engine) -> dict[str, str]:
        with read(engine) as conn:
            found = conn.execute(text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")).all()
        return {name: " ".join(sql.split()) for name, sql in found}

    migrated = open_engine(f"sqlite:///{tmp_path / 'migrated.sqlite'}")
    upgrade(migrated, local_mes.wsgi.MIGRATIONS)
    created = open_engine(f"sqlite:///{tmp_path / 'created.sqlite'}")
    metadata.create_all(created)
    assert guards(migrated) == guards(created)
    assert len(guards(created)) == 8
