"""A plant's pieces of before the upgrade carry labels and its vehicles weighings after it, on both databases."""

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
from shared.material.facts import PieceLabelled
from shared.material.history import history
from shared.subjects import REGISTERS
from shared.transfers.facts import VehicleWeighed
from shared.transfers.vehicles import find_weighings

PLANT = local_mes.wsgi.MIGRATIONS
PIECE = "m" * 32
OLD_ALIAS = (
    "INSERT INTO alias (author, value, scheme, material_id, given_at_ms) VALUES ('ALD', 'S-1', 'ALD.slab', :id, 5)"
)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def older(request: pytest.FixtureRequest, tmp_path: Path) -> Engine:
    url = f"sqlite:///{tmp_path / 'older.sqlite'}"
    engine = open_engine(url if request.param == "sqlite" else request.getfixturevalue("postgres_url"))
    with write(engine) as conn:
        command.upgrade(migrate.configuration(PLANT, conn), "shared_0009")
        conn.execute(text(OLD_ALIAS), {"id": PIECE})
    return engine


def test_a_piece_of_before_is_labelled_and_a_vehicle_weighed(older: Engine, clock: FixedClock) -> None:
    migrate.upgrade(older, PLANT)
    appliers = Appliers()
    for register in REGISTERS:
        register(appliers)
    label = PieceLabelled(
        label_id="l" * 32, material_id=PIECE, means="paint", device="MK1", text="S-1", outcome="mismatch", read="S-7"
    )
    weighed = VehicleWeighed(
        weighing_id="w" * 32,
        ticket="4711",
        vehicle="WPR 1234",
        gross_g=39_500_000,
        tare_g=14_200_000,
        net_g=25_300_000,
        gross_at_ms=7,
        tare_at_ms=9,
        scale="WB-1",
    )
    with Journal("ALD", older, clock, appliers).work() as tx:
        tx.record(
            Draft(payload=label, subjects=(PIECE,), actor="l2:MK1", occurred=Occurred(9, "l2:MK1")),
            Draft(payload=weighed, subjects=("w" * 32,), actor="l2:WB1", occurred=Occurred(9, "l2:WB1")),
        )
    with read(older) as conn:
        assert [(e.what, e.text) for e in history(conn, PIECE)] == [
            ("number", "S-1 (ALD.slab)"),
            ("paint", "S-1 (MK1): mismatch, reads S-7"),
        ]
        assert [(row.ticket, row.net_g) for row in find_weighings(conn, "ALD")] == [("4711", 25_300_000)]
        assert conn.execute(select(text("count(*)")).select_from(text("alias"))).scalar() == 1
