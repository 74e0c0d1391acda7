"""A load and a case from before the upgrade: nobody's, due by its kind; a case is opened again after it; on both databases."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import Engine, select, text

import local_mes.wsgi
from shared.clock import FixedClock
from shared.db import migrate
from shared.db.engine import open_engine, read, write
from shared.journal.apply import Appliers
from shared.journal.fact import Draft, Occurred
from shared.journal.journal import Journal
from shared.subjects import REGISTERS
from shared.transfers.case_desk import find_on_desk, read_talk
from shared.transfers.case_facts import CaseReopened
from shared.transfers.facts import CaseResolved
from shared.transfers.tables import shipment

LOAD = "INSERT INTO shipment VALUES ('ALD', 'old', 'RT-1', 'BRK', 'ALD-BRK', 'rail', 'Train 1', 1, 2, 3, 'f')"
CASE = """INSERT INTO transfer_case VALUES ('HUB', 'c', 'mass', 'resolved', 'old', 'RT-1', 'm', 'S1', '', 'ALD', 'BRK',
'differs', '[]', '{}', 5, 6, 'f2', 'claim', 'paid', 'p', 7)"""
WORD = "INSERT INTO case_word VALUES ('ALD', 'w', 'c', 'objected', 'no', 'q', 8, 8)"


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def older(request: pytest.FixtureRequest, tmp_path: Path) -> Engine:
    url = f"sqlite:///{tmp_path / 'older.sqlite'}"
    engine = open_engine(url if request.param == "sqlite" else request.getfixturevalue("postgres_url"))
    with write(engine) as conn:
        command.upgrade(migrate.configuration(local_mes.wsgi.MIGRATIONS, conn), "shared_0026")
        for row in (LOAD, CASE, WORD):
            conn.execute(text(row))
    return engine


def test_a_case_from_before_the_upgrade_is_opened_again(older: Engine, clock: FixedClock) -> None:
    migrate.upgrade(older, local_mes.wsgi.MIGRATIONS)
    appliers = Appliers()
    for register in REGISTERS:
        register(appliers)
    with read(older) as conn:
        assert conn.execute(select(shipment.c.carrier)).scalar_one() == ""
        before = find_on_desk(conn, "c")
        assert before is not None
        assert before.due_ms == 6 + 72 * 3_600_000
        assert [one.kind for one in read_talk(conn, before).standings] == ["objected", ""]
    facts = [
        CaseReopened(case_id="c", note="they are right", due_at_ms=99, objection="w"),
        CaseReopened(case_id="c", note="again", due_at_ms=1),
        CaseResolved(case_id="c", resolution="reweighed", note="so"),
    ]
    with Journal("HUB", older, clock, appliers).work() as tx:
        for fact in facts:
            tx.record(Draft(payload=fact, subjects=("c",), actor="p", occurred=Occurred(9, "manual")))
    with read(older) as conn:
        after = find_on_desk(conn, "c")
        assert after is not None
        assert (after.state, after.resolution, after.reopened, after.due_ms) == ("resolved", "reweighed", 1, 99)
        talk = read_talk(conn, after)
        assert [one.kind for one in talk.standings] == ["", ""]
        assert [word.kind for word in talk.words] == ["objected", "reopened"]
    older.dispose()
