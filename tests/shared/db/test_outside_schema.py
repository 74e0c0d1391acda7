"""Revisions shared_0022 and plant_0005 on a plant that lives already, on both databases: loads stay, parties can be kept."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import Engine, insert, select, text

import local_mes.wsgi
from local_mes.outside.tables import load_link, party_event
from shared.db.engine import open_engine, read, write
from shared.db.migrate import configuration, upgrade
from shared.outside.tables import party

LOAD = (
    "INSERT INTO shipment (author, shipment_id, number, to_plant, lane, mode, vehicle, departed_at_ms, eta_ms,"
    " recorded_at_ms, fact_id) VALUES ('CLD', 's', 'CL-1', 'MERRIN', 'l', 'truck', '', 1, 2, 1, 'f')"
)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Engine:
    if request.param == "sqlite":
        return open_engine(f"sqlite:///{tmp_path / 'empty.sqlite'}")
    return open_engine(request.getfixturevalue("postgres_url"))


def test_loads_stay_and_parties_can_be_kept(empty: Engine) -> None:
    with write(empty) as conn:
        settings = configuration(local_mes.wsgi.MIGRATIONS, conn)
        command.upgrade(settings, "plant_0004")
        command.upgrade(settings, "shared_0021")
        conn.execute(text(LOAD))
    upgrade(empty, local_mes.wsgi.MIGRATIONS)
    row = {"author": "CLD", "code": "MERRIN", "name": "Merrin", "kind": "customer", "address": "", "confirms": False}
    event = {
        "party": "MERRIN",
        "event_key": "k" * 64,
        "event_id": "e",
        "statement_id": "s",
        "digest": "d",
        "way": "csv",
    }
    link = {"link_id": "l", "party": "MERRIN", "shipment_id": "s", "created_at_ms": 1, "created_by": "p"}
    with write(empty) as conn:
        conn.execute(insert(party).values(**row, hours=8, ended=False, agreed_at_ms=1))
        conn.execute(
            insert(party_event).values(
                **event, state="open", kind="received", reason="", statement="{}", received_at_ms=1, settled_by=""
            )
        )
        conn.execute(insert(load_link).values(**link, expires_at_ms=2, said_by=""))
    with read(empty) as conn:
        assert conn.execute(text("SELECT number FROM shipment")).scalars().all() == ["CL-1"]
        assert conn.execute(select(party.c.confirms)).scalars().all() == [False]
