"""What was recorded before the upgrade is corrected after it, and its day closed, on both databases."""

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
from shared.material.correction_facts import Change, FactCorrected, PieceNow
from shared.material.facts import Mass, NewAlias
from shared.material.history import history
from shared.material.queries import find_by_number, get_material
from shared.performance.balance_queries import closes_of
from shared.performance.closing_facts import DayClosed
from shared.subjects import REGISTERS

PLANT = local_mes.wsgi.MIGRATIONS
PIECE = "m" * 32
OLD = (
    "INSERT INTO alias (author, value, scheme, material_id, given_at_ms) VALUES ('ALD', 'S-1', 'ALD.slab', :id, 5)",
    "INSERT INTO mass_history (author, fact_id, material_id, mass_g, basis, scale, at_ms, reason) "
    "VALUES ('ALD', :fact, :id, 20000, 'weighed', '', 6, '')",
    "INSERT INTO material VALUES ('ALD', :id, 'slab', 'S-1', 'L06', 'stock', 'live', 20000, 'weighed', '', 6, 0, 0, 0, "
    "'YA', 'made', '', '{}', '{}', NULL, 5, NULL, :fact)",
)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def older(request: pytest.FixtureRequest, tmp_path: Path) -> Engine:
    url = f"sqlite:///{tmp_path / 'older.sqlite'}"
    engine = open_engine(url if request.param == "sqlite" else request.getfixturevalue("postgres_url"))
    with write(engine) as conn:
        command.upgrade(migrate.configuration(PLANT, conn), "shared_0013")
        for statement in OLD:
            conn.execute(text(statement), {"id": PIECE, "fact": "f" * 32} if ":fact" in statement else {"id": PIECE})
    return engine


def test_a_piece_of_before_is_corrected(older: Engine, clock: FixedClock) -> None:
    migrate.upgrade(older, PLANT)
    appliers = Appliers()
    for register in REGISTERS:
        register(appliers)
    now = PieceNow(
        material_id=PIECE,
        mass=Mass(21_000, "weighed", "WS1", 7),
        number=NewAlias("ALD.slab", "S-2"),
        number_was=NewAlias("ALD.slab", "S-1"),
    )
    changes = (Change(PIECE, "mass", "20 kg", "21 kg"),)
    fact = FactCorrected(corrects="f" * 32, type="MaterialCreated", reason="misread", changes=changes, pieces=(now,))
    with Journal("ALD", older, clock, appliers).work() as tx:
        tx.record(Draft(payload=fact, subjects=(PIECE,), actor="p1", occurred=Occurred(9, "manual")))
        closed = DayClosed(production_day="2026-03-11", from_ms=1, to_ms=9, lines=(), open_imbalances=0, signed=False)
        tx.record(Draft(payload=closed, subjects=("ALD.day",), actor="p1", occurred=Occurred(9, "manual")))
    with read(older) as conn:
        assert [close.production_day for close in closes_of(conn, "ALD", "2026-03-11")] == ["2026-03-11"]
        assert get_material(conn, "ALD", PIECE).mass_g == 21_000
        assert find_by_number(conn, "S-1")[0].number == "S-2"
        texts = [event.text for event in history(conn, PIECE)]
    assert "20000 g weighed, corrected since" in texts
    assert "mass was 20 kg until then; now 21 kg, because misread" in texts
