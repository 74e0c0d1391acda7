"""Commands and waiting Level-2 messages of before an upgrade are there after it, and old code still writes."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import Engine, inspect, select, text

import local_mes.wsgi
from local_mes.level2.tables import outbox, spool_waiting
from shared.clock import FixedClock
from shared.db import migrate
from shared.db.engine import open_engine, read, write
from shared.errors import Refused
from shared.journal.apply import Appliers
from shared.journal.asking import set_asked
from shared.journal.journal import Journal
from shared.journal.tables import command as done_before
from shared.transfers.lines import LineFilter, find_lines
from shared.transfers.tables import shipment, shipment_line, transfer_word

PLANT = local_mes.wsgi.MIGRATIONS
OLD_COMMAND = "INSERT INTO command (command_id, result, done_at_ms) VALUES (:id, :result, 1)"
OLD_WAITING = (
    "INSERT INTO spool_waiting (spool, spool_id, link, message, received_ms, reason)"
    " VALUES ('s1', 7, 'CC1', 'CC1060', 5, 'its slab is not cast yet')"
)

OLD_LOAD = {"author": "ALD", "shipment_id": "s" * 32, "number": "RT-1", "to_plant": "BRK", "lane": "ALD-BRK"} | {
    "mode": "rail",
    "vehicle": "",
    "departed_at_ms": 5,
    "eta_ms": 9,
    "recorded_at_ms": 5,
    "fact_id": "f" * 32,
}
OLD_LINE = {"author": "ALD", "shipment_id": "s" * 32, "material_id": "m" * 32, "number": "S-1", "kind": "slab"} | {
    "grade": "",
    "order_item": "",
    "position": "",
    "custody_no": 1,
    "mass_g": 1_000,
    "mass_basis": "weighed",
    "scale": "",
    "quality": "free",
    "piece": "{}",
    "entered": "advised",
    "withdrawn": False,
    "departed_at_ms": 5,
    "recorded_at_ms": 5,
    "withdrawn_at_ms": 0,
    "fact_id": "f" * 32,
}


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def older(request: pytest.FixtureRequest, tmp_path: Path) -> Engine:
    """A plant of the release before both revisions, with a command done and a message that waits."""
    url = f"sqlite:///{tmp_path / 'old.sqlite'}" if request.param == "sqlite" else None
    engine = open_engine(url or request.getfixturevalue("postgres_url"))
    with write(engine) as conn:
        for revision in ("shared_0006", "plant_0001"):
            command.upgrade(migrate.configuration(PLANT, conn), revision)
        names = {column["name"] for column in inspect(conn).get_columns("command")}
        assert "asked" not in names, "the fixture is not older than the revision"
        assert "level2_outbox" not in inspect(conn).get_table_names()
        conn.execute(text(OLD_COMMAND), {"id": "shipped-1", "result": '{"number": "RT-1"}'})
        conn.execute(text(OLD_WAITING))
    return engine


def test_a_command_of_before_is_answered_as_it_was_and_bound_to_nothing(older: Engine, clock: FixedClock) -> None:
    migrate.upgrade(older, PLANT)
    journal = Journal("ALD", older, clock, Appliers())
    set_asked("a" * 32)
    try:
        with journal.work() as tx:
            assert tx.once("shipped-1") == {"number": "RT-1"}
            tx.done("shipped-2", {"number": "RT-2"})
        set_asked("b" * 32)
        with journal.work() as tx:
            assert tx.once("shipped-1") == {"number": "RT-1"}
            with pytest.raises(Refused):
                tx.once("shipped-2")  # one of after is bound to who asked for what
    finally:
        set_asked("")


def test_code_of_before_still_writes_commands_after_the_upgrade(older: Engine) -> None:
    migrate.upgrade(older, PLANT)
    with write(older) as conn:
        conn.execute(text(OLD_COMMAND), {"id": "shipped-3", "result": "{}"})
    with read(older) as conn:
        assert {row.command_id: row.asked for row in conn.execute(select(done_before))} == {
            "shipped-1": "",
            "shipped-3": "",
        }


def test_loads_of_before_are_read_with_what_may_be_said_of_them_now(older: Engine) -> None:
    with write(older) as conn:
        conn.execute(shipment.insert().values(OLD_LOAD))
        conn.execute(shipment_line.insert().values(OLD_LINE))
    migrate.upgrade(older, PLANT)
    with read(older) as conn:
        (line,) = find_lines(conn, LineFilter())
        assert (line.number, line.state, line.refused_at_ms, line.lost_at_ms) == ("S-1", "in_transit", None, None)
        assert conn.execute(select(transfer_word)).all() == []


def test_waiting_messages_stay_and_what_is_to_be_told_has_its_place(older: Engine) -> None:
    migrate.upgrade(older, PLANT)
    told = {"key": "k1", "ordinal": 1, "link": "CC1", "kind": "plan", "message": "CC2010", "fields": "{}"}
    with write(older) as conn:
        assert [(row.spool_id, row.reason) for row in conn.execute(select(spool_waiting))] == [
            (7, "its slab is not cast yet")
        ]
        assert conn.execute(select(outbox)).all() == []
        conn.execute(outbox.insert().values(told))
        assert dict(conn.execute(select(outbox)).one()._mapping) == told
