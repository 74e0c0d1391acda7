"""A case opened before the upgrade is looked after, talked about and confirmed after it, on both databases."""

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
from shared.transfers.case_desk import DeskFilter, find_desk, find_on_desk, read_talk
from shared.transfers.case_facts import CaseConfirmed, CaseSaid
from shared.transfers.case_rules import first_deadline_ms

PLANT = local_mes.wsgi.MIGRATIONS
CASE = "c" * 32
OLD = (
    "INSERT INTO transfer_case (author, case_id, kind, state, shipment_id, shipment_number, material_id, piece_number,"
    " receipt_id, from_plant, to_plant, summary, evidence, figures, since_ms, opened_at_ms, fact_id, resolution, note,"
    " resolved_by, resolved_at_ms) VALUES ('HUB', :case, 'short', 'resolved', '', 'RT-1', '', '4H1-1', '', 'ALD', 'BRK',"
    " 'missing', '[]', '{}', 5, 7, :fact, 'lost', 'gone', 'p1', 9)"
)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def older(request: pytest.FixtureRequest, tmp_path: Path) -> Engine:
    url = f"sqlite:///{tmp_path / 'older.sqlite'}"
    engine = open_engine(url if request.param == "sqlite" else request.getfixturevalue("postgres_url"))
    with write(engine) as conn:
        command.upgrade(migrate.configuration(PLANT, conn), "shared_0020")
        conn.execute(text(OLD), {"case": CASE, "fact": "f" * 32})
    return engine


def test_a_case_of_before_is_on_the_desk_and_can_be_confirmed(older: Engine, clock: FixedClock) -> None:
    migrate.upgrade(older, PLANT)
    appliers = Appliers()
    for register in REGISTERS:
        register(appliers)
    with read(older) as conn:
        (row,) = find_desk(conn, DeskFilter(state="to_confirm", plant="BRK"), limit=5)
    assert (row.owner, row.party, row.words, row.due_ms) == ("", "HUB", 0, first_deadline_ms("short", 7))
    with Journal("BRK", older, clock, appliers).work() as tx:
        for payload in (
            CaseSaid(case_id=CASE, text="nobody saw it"),
            CaseConfirmed(case_id=CASE, resolution="lost", agrees=False, note="look again"),
            CaseConfirmed(case_id=CASE, resolution="lost", agrees=True),
        ):
            tx.record(Draft(payload, (CASE,), "p2", Occurred(9, "manual")))
    with read(older) as conn:
        found = find_on_desk(conn, CASE)
        assert found is not None
        talk = read_talk(conn, found)
    assert [(standing.plant, standing.kind) for standing in talk.standings] == [("ALD", ""), ("BRK", "confirmed")]
    assert sorted(word.kind for word in talk.words) == ["confirmed", "objected_before", "said"]
