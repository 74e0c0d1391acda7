"""A task done before the upgrade stays done; after it tasks are acknowledged and people qualified; on both databases."""

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
from shared.subjects import REGISTERS
from shared.tasks.facts import QualificationEnded, QualificationGiven, TaskAcknowledged
from shared.tasks.queries import acknowledged_of, done_of, held_by, list_qualifications

OLD = "INSERT INTO task_done VALUES ('ALD', 'd1', 1, 'W-KNIFE', 'as ever', 'olek', 7)"


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def older(request: pytest.FixtureRequest, tmp_path: Path) -> Engine:
    url = f"sqlite:///{tmp_path / 'older.sqlite'}"
    engine = open_engine(url if request.param == "sqlite" else request.getfixturevalue("postgres_url"))
    with write(engine) as conn:
        command.upgrade(migrate.configuration(local_mes.wsgi.MIGRATIONS, conn), "shared_0028")
        conn.execute(text(OLD))
    return engine


def test_people_are_qualified_after_the_upgrade(older: Engine, clock: FixedClock) -> None:
    migrate.upgrade(older, local_mes.wsgi.MIGRATIONS)
    appliers = Appliers()
    for register in REGISTERS:
        register(appliers)
    day = 86_400_000
    facts = [
        TaskAcknowledged(decision_id="d2", workflow_id="W-KNIFE", action=1),
        QualificationGiven(person_id="olek", qualification="crane", until_ms=day, note="course"),
        QualificationGiven(person_id="ewa", qualification="crane", until_ms=0),
        QualificationEnded(person_id="ewa", qualification="crane", reason="moved on"),
        QualificationEnded(person_id="ewa", qualification="never given", reason="a slip"),
    ]
    with Journal("ALD", older, clock, appliers).work() as tx:
        for fact in facts:
            tx.record(Draft(payload=fact, subjects=("s",), actor="lena", occurred=Occurred(9, "manual")))
    with read(older) as conn:
        assert done_of(conn, "ALD", ["d1"])["d1", 1].note == "as ever"
        assert acknowledged_of(conn, "ALD", ["d1", "d2"])["d2", 1].said_by == "lena"
        assert [(q.person_id, q.ended_ms, q.reason) for q in list_qualifications(conn, "ALD")] == [
            ("ewa", 9, "moved on"),
            ("olek", None, ""),
        ]
        assert held_by(conn, "ALD", "olek", day - 1) == {"crane"}
        assert held_by(conn, "ALD", "olek", day) == frozenset()
        assert held_by(conn, "ALD", "ewa", 10) == frozenset()
    older.dispose()
