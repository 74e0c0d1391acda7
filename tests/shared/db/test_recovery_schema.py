"""The revision of recovery on a database with rows of before: they stay, and only what was given up may go."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import Engine, text
from sqlalchemy.exc import DatabaseError

import local_mes.wsgi
from shared.db import migrate
from shared.db.engine import open_engine, read, write

FACT = "INSERT INTO fact (fact_id, type, version, author, recorded_at_ms, body) VALUES (:id, 'T', 1, 'ALD', 1, :body)"
ENTRY = "INSERT INTO entry (stream, epoch, seq, hash, fact_id) VALUES ('ALD', 'e', :seq, :hash, :id)"
ASIDE = (
    "INSERT INTO entry_abandoned (stream, epoch, seq, hash, fact_id, body, fate, at_ms)"
    " VALUES ('ALD', 'e', :seq, :hash, :id, :body, 'carried', 1)"
)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def upgraded(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """A database of the first revision with three entries, brought to the newest."""
    if request.param == "sqlite":
        engine = open_engine(f"sqlite:///{tmp_path / 'old.sqlite'}")
    else:
        engine = open_engine(request.getfixturevalue("postgres_url"))
    with write(engine) as conn:
        command.upgrade(migrate.configuration(local_mes.wsgi.MIGRATIONS, conn), "shared_0001")
    with write(engine) as conn:
        for seq in (1, 2, 3):
            conn.execute(text(FACT), {"id": f"f{seq}", "body": b"{%d}" % seq})
            conn.execute(text(ENTRY), {"seq": seq, "hash": f"h{seq}", "id": f"f{seq}"})
    migrate.upgrade(engine, local_mes.wsgi.MIGRATIONS)
    yield engine
    engine.dispose()


def run(engine: Engine, statement: str, **values: object) -> None:
    with write(engine) as conn:
        conn.execute(text(statement), values)


def count(engine: Engine, table: str) -> int:
    with read(engine) as conn:
        return int(conn.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())


def test_rows_of_before_stay_and_stay_guarded(upgraded: Engine) -> None:
    assert (count(upgraded, "entry"), count(upgraded, "fact")) == (3, 3)
    for table in ("entry", "fact"):
        for statement in (f"DELETE FROM {table}", f"UPDATE {table} SET fact_id = fact_id"):
            with pytest.raises(DatabaseError, match="append-only"):
                run(upgraded, statement)


def test_an_entry_goes_only_when_it_stands_aside_under_the_same_hash(upgraded: Engine) -> None:
    run(upgraded, ASIDE, seq=3, hash="another", id="f3", body=b"{3}")
    with pytest.raises(DatabaseError, match="append-only"):
        run(upgraded, "DELETE FROM entry WHERE seq = 3")
    run(upgraded, ASIDE, seq=3, hash="h3", id="f3", body=b"{3}")
    run(upgraded, "DELETE FROM entry WHERE seq = 3")
    with pytest.raises(DatabaseError, match="append-only"):
        run(upgraded, "DELETE FROM entry")
    with pytest.raises(DatabaseError, match="append-only"):
        run(upgraded, "UPDATE entry SET hash = 'x'")
    assert count(upgraded, "entry") == 2


def test_a_fact_goes_only_with_its_bytes_aside_and_when_no_entry_names_it(upgraded: Engine) -> None:
    run(upgraded, ASIDE, seq=2, hash="h2", id="f2", body=b"other bytes")
    run(upgraded, ASIDE, seq=3, hash="h3", id="f3", body=b"{3}")
    with pytest.raises(DatabaseError):  # an entry names it
        run(upgraded, "DELETE FROM fact WHERE fact_id = 'f3'")
    run(upgraded, "DELETE FROM entry WHERE seq > 1")
    run(upgraded, "DELETE FROM fact WHERE fact_id = 'f3'")
    with pytest.raises(DatabaseError, match="append-only"):
        run(upgraded, "DELETE FROM fact WHERE fact_id = 'f2'")
    assert count(upgraded, "fact") == 2


@pytest.mark.parametrize("statement", ["DELETE FROM entry_abandoned", "UPDATE entry_abandoned SET fate = 'x'"])
def test_what_stands_aside_stays_there(upgraded: Engine, statement: str) -> None:
    run(upgraded, ASIDE, seq=3, hash="h3", id="f3", body=b"{3}")
    with pytest.raises(DatabaseError, match="append-only"):
        run(upgraded, statement)
