"""A hub of the release before keeps its open sessions; who opened them is not asked again."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import text

import central_hub.wiring
from shared.db import migrate
from shared.db.engine import open_engine, read, write


@pytest.mark.parametrize("on", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def test_open_sessions_stay_open(on: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    sqlite = f"sqlite:///{tmp_path / 'old.sqlite'}"
    engine = open_engine(sqlite if on == "sqlite" else request.getfixturevalue("postgres_url"))
    with write(engine) as conn:
        command.upgrade(migrate.configuration(central_hub.wiring.MIGRATIONS, conn), "shared_0031")
        names = "peer, session, instance, opened_ms, last_contact_ms, contact_db_ms, offset_ms, backlog"
        conn.execute(text(f"INSERT INTO sync_session ({names}) VALUES ('ALD', 's', 'i', 1, 2, 3, 4, 5)"))
        command.upgrade(migrate.configuration(central_hub.wiring.MIGRATIONS, conn), "heads")
    with read(engine) as conn:
        assert conn.execute(text("SELECT session, backlog, boot FROM sync_session")).all() == [("s", 5, "")]
    engine.dispose()
