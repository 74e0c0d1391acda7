"""Rows made before the figures of the line existed are still there after the upgrade, and old code can still write."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import Engine, select, text

import local_mes.wsgi
from shared.db import migrate
from shared.db.engine import open_engine, read, write
from sync.tables import figure, incident, link, sight

PLANT = local_mes.wsgi.MIGRATIONS
OLD_LINK = (
    "INSERT INTO sync_link (peer, state, since_ms, last_contact_ms, offset_ms, reason)"
    " VALUES (:peer, 'online', 1, 2, 3, '')"
)
OLD_INCIDENT = "INSERT INTO sync_incident (incident_id, at_ms, peer, kind, what) VALUES (:id, 5, 'HUB', 'fork', 'at 7')"


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def first_release(request: pytest.FixtureRequest, tmp_path: Path) -> Engine:
    """A plant's database as the first release left it, with a link and an incident in it."""
    url = f"sqlite:///{tmp_path / 'old.sqlite'}" if request.param == "sqlite" else None
    engine = open_engine(url or request.getfixturevalue("postgres_url"))
    with write(engine) as conn:
        command.upgrade(migrate.configuration(PLANT, conn), "plant_0001")
        conn.execute(text(OLD_LINK), {"peer": "HUB"})
        conn.execute(text(OLD_INCIDENT), {"id": "a" * 32})
    return engine


def test_what_was_known_of_the_line_is_kept(first_release: Engine) -> None:
    migrate.upgrade(first_release, PLANT)
    with read(first_release) as conn:
        kept = conn.execute(select(link)).one()
        assert (kept.state, kept.offset_ms, kept.floor_ms) == ("online", 3, 0)
        noted = conn.execute(select(incident)).one()
        assert (noted.what, noted.level, noted.evidence, noted.acknowledged_ms) == ("at 7", "alarm", "", None)
        assert [conn.execute(select(table)).all() for table in (sight, figure)] == [[], []]


def test_code_of_the_first_release_still_writes_after_the_upgrade(first_release: Engine) -> None:
    migrate.upgrade(first_release, PLANT)
    with write(first_release) as conn:
        conn.execute(text(OLD_LINK), {"peer": "HUB2"})
        conn.execute(text(OLD_INCIDENT), {"id": "b" * 32})
        assert len(conn.execute(select(incident)).all()) == 2
