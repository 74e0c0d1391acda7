"""Revision plant_0006 on a plant that lives already, on both databases: what it has stays, versions can be kept."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import Engine, insert, select, text

import local_mes.wsgi
from local_mes.model.tables import number_counter
from local_mes.plant_model.tables import model_version
from shared.db.engine import open_engine, read, write
from shared.db.migrate import configuration, upgrade


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def older(request: pytest.FixtureRequest, tmp_path: Path) -> Engine:
    url = f"sqlite:///{tmp_path / 'older.sqlite'}"
    return open_engine(url if request.param == "sqlite" else request.getfixturevalue("postgres_url"))


def test_a_plant_keeps_versions_of_its_model_after_the_upgrade(older: Engine) -> None:
    with write(older) as conn:
        command.upgrade(configuration(local_mes.wsgi.MIGRATIONS, conn), "plant_0005")
        conn.execute(text("INSERT INTO number_counter VALUES ('ALD.shipment', 7)"))
    upgrade(older, local_mes.wsgi.MIGRATIONS)
    row = {"version": 1, "sha256": "a" * 64, "text": "[plant]", "reason": "rail", "saved_ms": 5, "saved_by": "p"}
    with write(older) as conn:
        conn.execute(insert(model_version).values(**row))
    with read(older) as conn:
        assert dict(conn.execute(select(model_version)).mappings().one()) == row
        assert conn.execute(select(number_counter.c.last)).scalar() == 7
    older.dispose()
