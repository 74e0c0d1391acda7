"""Revision plant_0004 on a plant that lives already, on both databases: days of a comparison stay, counts can be kept."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import Engine, insert, select, text

import local_mes.wsgi
from local_mes.stock.tables import stock_count
from shared.db.engine import open_engine, read, write
from shared.db.migrate import configuration, upgrade

FILE = "INSERT INTO pilot_file (name, mark, day, read_ms, problem) VALUES ('a.csv', '1', '2026-03-11', 1, '')"


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Engine:
    if request.param == "sqlite":
        return open_engine(f"sqlite:///{tmp_path / 'empty.sqlite'}")
    return open_engine(request.getfixturevalue("postgres_url"))


def test_files_stay_and_counts_can_be_kept(empty: Engine) -> None:
    with write(empty) as conn:
        command.upgrade(configuration(local_mes.wsgi.MIGRATIONS, conn), "plant_0003")
        conn.execute(text(FILE))
    upgrade(empty, local_mes.wsgi.MIGRATIONS)
    with write(empty) as conn:
        conn.execute(
            insert(stock_count).values(take_id="t", number="BS6-1", place="YB", counted_at_ms=1, counted_by="p")
        )
    with read(empty) as conn:
        assert conn.execute(text("SELECT name FROM pilot_file")).scalars().all() == ["a.csv"]
        assert conn.execute(select(stock_count.c.number)).scalars().all() == ["BS6-1"]
