"""Revision shared_0013 on a node that lives already, on both databases: where its pieces were stays, and more can be kept."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import Engine, insert, select, text

import local_mes.wsgi
from shared.db.engine import open_engine, read, write
from shared.db.migrate import configuration, upgrade
from shared.stock.tables import crane_job, goods_stock

LAY = "INSERT INTO place_history (author, fact_id, material_id, place, at_ms, actor) VALUES ('BRK', 'f', 'm', 'YB-3', 7, 'p')"


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Engine:
    if request.param == "sqlite":
        return open_engine(f"sqlite:///{tmp_path / 'empty.sqlite'}")
    return open_engine(request.getfixturevalue("postgres_url"))


def test_places_stay_and_jobs_and_goods_can_be_kept(empty: Engine) -> None:
    with write(empty) as conn:
        command.upgrade(configuration(local_mes.wsgi.MIGRATIONS, conn), "shared_0012")
        conn.execute(text(LAY))
    upgrade(empty, local_mes.wsgi.MIGRATIONS)
    job = dict.fromkeys(("crane", "kind", "material_id", "number", "to_place", "why", "reason", "closed_by"), "x")
    with write(empty) as conn:
        conn.execute(
            insert(crane_job).values(author="BRK", job_id="j", state="open", position=1, planned_at_ms=1, **job)
        )
        conn.execute(insert(goods_stock).values(author="BRK", item="FeSi75", place="GB", quantity=5, booked_at_ms=1))
    with read(empty) as conn:
        assert conn.execute(text("SELECT place FROM place_history WHERE at_ms = 7")).scalars().all() == ["YB-3"]
        assert conn.execute(select(crane_job.c.closed_at_ms)).scalars().all() == [None]
