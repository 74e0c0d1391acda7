"""A load that left before the upgrade has no plan; one planned after it is loaded and leaves; on both databases."""

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
from shared.transfers.plan_facts import LoadVehicle, PieceLoaded, PieceUnloaded, PlannedPiece, ShipmentPlanned
from shared.transfers.plan_queries import find_plan, loaded_on, open_plans, pieces_of

OLD = "INSERT INTO shipment VALUES ('ALD', 'old', 'RT-1', 'BRK', 'ALD-BRK', 'rail', 'Train 1', 1, 2, 3, 'f')"


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def older(request: pytest.FixtureRequest, tmp_path: Path) -> Engine:
    url = f"sqlite:///{tmp_path / 'older.sqlite'}"
    engine = open_engine(url if request.param == "sqlite" else request.getfixturevalue("postgres_url"))
    with write(engine) as conn:
        command.upgrade(migrate.configuration(local_mes.wsgi.MIGRATIONS, conn), "shared_0024")
        conn.execute(text(OLD))
    return engine


def test_loads_are_planned_after_the_upgrade(older: Engine, clock: FixedClock) -> None:
    migrate.upgrade(older, local_mes.wsgi.MIGRATIONS)
    appliers = Appliers()
    for register in REGISTERS:
        register(appliers)
    pieces = tuple(PlannedPiece(material_id=name, number=name, mass_g=9) for name in ("a", "b"))
    plan = ShipmentPlanned(
        shipment_id="new", number="RT-2", to="BRK", lane="ALD-BRK", mode="rail", vehicle="Train 2",
        vehicles=(LoadVehicle(code="W1", limit_g=60), LoadVehicle(code="W2")), pieces=pieces,
    )  # fmt: skip
    facts = [
        plan,
        PieceLoaded(shipment_id="new", material_id="a", number="a", vehicle="W1", mass_g=9),
        PieceLoaded(shipment_id="new", material_id="c", number="c", vehicle="W1", mass_g=7),
        PieceUnloaded(shipment_id="new", material_id="c", reason="too long"),
    ]
    with Journal("ALD", older, clock, appliers).work() as tx:
        for fact in facts:
            tx.record(Draft(payload=fact, subjects=("new",), actor="p", occurred=Occurred(9, "manual")))
    with read(older) as conn:
        assert find_plan(conn, "ALD", "RT-1") is None
        (row,) = open_plans(conn, "ALD")
        assert (row.number, row.loaded, row.loaded_g, row.pieces) == ("RT-2", 1, 9, 2)
        assert [(one.number, one.planned, one.loaded_at_ms) for one in pieces_of(conn, "ALD", "new")] == [
            ("b", True, 0),
            ("a", True, 9),
        ]
        assert loaded_on(conn, "ALD", "Train 2") == {"W1": 9}
    older.dispose()
