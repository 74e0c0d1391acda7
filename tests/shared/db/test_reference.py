"""Every entry names a fact that is there, on both databases, in databases of before and in new ones."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError

import central_hub.wsgi
from shared.db import migrate
from shared.db.engine import open_engine, read, write
from shared.db.types import metadata

FACT = "INSERT INTO fact (fact_id, type, version, author, recorded_at_ms, body) VALUES (:id, 'T', 1, 'ALD', 1, :body)"
ENTRY = "INSERT INTO entry (stream, epoch, seq, hash, fact_id) VALUES ('ALD', 'e', :seq, 'h', :id)"
ASIDE = (
    "INSERT INTO entry_abandoned (stream, epoch, seq, hash, fact_id, body, fate, at_ms)"
    " VALUES ('ALD', 'e', :seq, 'h', :id, :body, 'carried', 1)"
)


def run(engine: Engine, statement: str, **values: object) -> None:
    with write(engine) as conn:
        conn.execute(text(statement), values)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    url = f"sqlite:///{tmp_path / 'r.sqlite'}" if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    engine = open_engine(url)
    yield engine
    engine.dispose()


@pytest.fixture(params=["made", "upgraded"])
def journal(request: pytest.FixtureRequest, database: Engine) -> Engine:
    """Three facts with their entries: of before the revision, or in tables made from the code."""
    if request.param == "made":
        metadata.create_all(database)
    else:
        with write(database) as conn:
            command.upgrade(migrate.configuration(central_hub.wsgi.MIGRATIONS, conn), "shared_0008")
    for seq in (1, 2, 3):
        run(database, FACT, id=f"f{seq}", body=b"{}")
        run(database, ENTRY, seq=seq, id=f"f{seq}")
    if request.param == "upgraded":
        migrate.upgrade(database, central_hub.wsgi.MIGRATIONS)
    return database


def test_an_entry_without_its_fact_is_refused(journal: Engine) -> None:
    with pytest.raises(IntegrityError):
        run(journal, ENTRY, seq=4, id="nobody")
    run(journal, FACT, id="f4", body=b"{}")
    run(journal, ENTRY, seq=4, id="f4")
    with pytest.raises(IntegrityError), write(journal) as conn:
        conn.execute(text(ENTRY), [{"seq": 5, "id": "f1"}, {"seq": 6, "id": "nobody"}])
    with read(journal) as conn:
        assert conn.execute(text("SELECT seq FROM entry ORDER BY seq")).scalars().all() == [1, 2, 3, 4]


def test_a_fact_that_an_entry_names_stays(journal: Engine) -> None:
    run(journal, ASIDE, seq=3, id="f3", body=b"{}")
    with pytest.raises(IntegrityError):
        run(journal, "DELETE FROM fact WHERE fact_id = 'f3'")
    run(journal, "DELETE FROM entry WHERE seq = 3")
    run(journal, "DELETE FROM fact WHERE fact_id = 'f3'")
    with read(journal) as conn:
        assert conn.execute(text("SELECT count(*) FROM fact")).scalar_one() == 2


@pytest.mark.postgres
def test_the_schema_can_be_taken_back(postgres_url: str) -> None:
    engine = open_engine(postgres_url)
    with write(engine) as conn:
        command.upgrade(migrate.configuration(central_hub.wsgi.MIGRATIONS, conn), "shared_0009")
        command.downgrade(migrate.configuration(central_hub.wsgi.MIGRATIONS, conn), "shared@shared_0008")
    with pytest.raises(IntegrityError, match="fk_entry_fact_id"):
        run(engine, ENTRY, seq=1, id="nobody")
    engine.dispose()
