"""Set-points are on record after the upgrade of a node that lives already, on both databases."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import Engine, text

import local_mes.wsgi
from shared.clock import FixedClock
from shared.db import migrate
from shared.db.engine import open_engine, read, write
from shared.journal.apply import Appliers
from shared.journal.fact import Draft, Occurred
from shared.journal.journal import Journal
from shared.setpoints.facts import SetPointGiven, SetPointSettled
from shared.setpoints.queries import list_set_points, set_points_of
from shared.subjects import REGISTERS

OLD = "INSERT INTO task_done VALUES ('ALD', 'old', 1, 'W', '', 'p', 1)"


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def older(request: pytest.FixtureRequest, tmp_path: Path) -> Engine:
    url = f"sqlite:///{tmp_path / 'older.sqlite'}"
    engine = open_engine(url if request.param == "sqlite" else request.getfixturevalue("postgres_url"))
    with write(engine) as conn:
        command.upgrade(migrate.configuration(local_mes.wsgi.MIGRATIONS, conn), "shared_0029")
        conn.execute(text(OLD))
    return engine


def test_set_points_are_kept_after_the_upgrade(older: Engine, clock: FixedClock) -> None:
    migrate.upgrade(older, local_mes.wsgi.MIGRATIONS)
    appliers = Appliers()
    for register in REGISTERS:
        register(appliers)
    given = SetPointGiven(
        setpoint_id="s", link="PL", message="PL2020", values={"speed_m_min": 1.5}, material_id="m", number="C6-1"
    )
    facts = [given, SetPointSettled(setpoint_id="s", outcome="refused", answer="code 30")]
    with Journal("ALD", older, clock, appliers).work() as tx:
        for fact in facts:
            tx.record(Draft(payload=fact, subjects=("s",), actor="p", occurred=Occurred(9, "manual")))
    with read(older) as conn:
        (row,) = set_points_of(conn, "m", 5)
        assert (row.values, row.state, row.settled_ms) == ('{"speed_m_min": 1.5}', "refused", 9)
        assert list_set_points(conn, "ALD", "refused", "C6-1") == [row]
        assert conn.execute(text("SELECT decision_id FROM task_done")).scalars().all() == ["old"]
