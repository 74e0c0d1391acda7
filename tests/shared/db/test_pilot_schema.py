"""Revision plant_0003 on a plant that lives already, on both databases."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import Engine, insert, select, text

import local_mes.wsgi
from local_mes.pilot.tables import pilot_day
from shared.db.engine import open_engine, read, write
from shared.db.migrate import configuration, upgrade

WAITS = (
    "INSERT INTO level2_outbox (key, ordinal, link, kind, message, fields) "
    "VALUES ('k', 1, 'CC1', 'telegram', 'CC2030', '{}')"
)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Engine:
    if request.param == "sqlite":
        return open_engine(f"sqlite:///{tmp_path / 'empty.sqlite'}")
    return open_engine(request.getfixturevalue("postgres_url"))


def test_what_waits_to_be_told_stays_and_days_can_be_kept(empty: Engine) -> None:
    with write(empty) as conn:
        command.upgrade(configuration(local_mes.wsgi.MIGRATIONS, conn), "plant_0002")
        conn.execute(text(WAITS))
    upgrade(empty, local_mes.wsgi.MIGRATIONS)
    counts = dict.fromkeys(("imported_ms", "compared_ms", "theirs", "ours", "same", "missing_here", "missing_there"), 1)
    with write(empty) as conn:
        conn.execute(insert(pilot_day).values(day="2026-03-11", file="f", differing=1, problems=1, **counts))
    with read(empty) as conn:
        assert conn.execute(text("SELECT key FROM level2_outbox")).scalars().all() == ["k"]
        assert conn.execute(select(pilot_day.c.day)).scalars().all() == ["2026-03-11"]
