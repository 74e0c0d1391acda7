"""A node of a release before keeps what is in force and what deviates, and holds from then on what plants find edited and
how deviations are approved and renewed."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import text

import central_hub.wiring
from shared.clock import FixedClock
from shared.db import migrate
from shared.db.engine import open_engine, read, write
from shared.journal.apply import Appliers
from shared.journal.fact import Draft, Occurred
from shared.journal.journal import Journal
from shared.orders.queries import list_unsigned
from shared.standards import deviation_rows
from shared.standards.deviation_facts import DeviationJudged, DeviationRenewed
from shared.standards.edit_facts import StandardsFoundEdited
from shared.standards.edit_rows import Edits, find_edits, register
from shared.standards.queries import list_deviations


@pytest.mark.parametrize("on", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def test_what_is_edited_approved_and_renewed_is_held_after_the_upgrade(
    on: str, tmp_path: Path, clock: FixedClock, request: pytest.FixtureRequest
) -> None:
    sqlite = f"sqlite:///{tmp_path / 'old.sqlite'}"
    engine = open_engine(sqlite if on == "sqlite" else request.getfixturevalue("postgres_url"))
    with write(engine) as conn:
        command.upgrade(migrate.configuration(central_hub.wiring.MIGRATIONS, conn), "shared_0032")
        row = "'ALD', 'QR', 1, 'aa', 2, 3, NULL, '{}'"
        names = "author, standard_id, version, sha256, effective_from_ms, adopted_ms, until_ms, bound"
        conn.execute(text(f"INSERT INTO standard_in_force ({names}) VALUES ({row})"))
        names = "author, deviation_id, standard_id, parameter, value, owner, reason, declared_ms, expires_ms"
        row = "'ALD', 'd1', 'R', 'CC1.slab_length_mm', '12500', 'casting', 'crops', 1, 20"
        conn.execute(text(f"INSERT INTO standard_deviation ({names}) VALUES ({row})"))
        names = "author, item, customer, product, grade, thickness_um, width_um, mass_g, route, due, released_at_ms"
        conn.execute(text(f"INSERT INTO order_item ({names}) VALUES ('ALD', '9/1', '', '', 'X70', 1, 1, 1, '', '', 5)"))
        command.upgrade(migrate.configuration(central_hub.wiring.MIGRATIONS, conn), "heads")
    appliers = Appliers()
    register(appliers)
    deviation_rows.register(appliers)
    with read(engine) as conn:
        assert find_edits(conn, "ALD") == Edits()
        (before,) = list_deviations(conn, "ALD")
    assert (before.value, before.expires_ms, before.approval, before.past.renewals) == ("12500", 20, "open", ())
    for payload in (
        StandardsFoundEdited(differences={"QR": ("first",)}),
        StandardsFoundEdited(differences={"QR": ("a = 1", "b = 2")}),
        DeviationJudged(plant="ALD", deviation_id="d1", expires_ms=20, verdict="approved"),
        DeviationRenewed(deviation_id="d1", expires_ms=40, reason="rail in May"),
        DeviationJudged(plant="ALD", deviation_id="d1", expires_ms=40, verdict="approved"),
        DeviationJudged(plant="ALD", deviation_id="d1", expires_ms=40, verdict="objected", reason="too long"),
    ):
        with Journal("ALD", engine, clock, appliers).work() as tx:
            tx.record(Draft(payload=payload, subjects=("s",), actor="p", occurred=Occurred(9, "system")))
    with read(engine) as conn:
        assert find_edits(conn, "ALD") == Edits({"QR": ("a = 1", "b = 2")}, clock.now_ms())
        assert conn.execute(text("SELECT version FROM standard_in_force")).scalar() == 1
        assert [o.item for o in list_unsigned(conn, "ALD", ("X70",), 5)] == ["9/1"]
        (now,) = list_deviations(conn, "ALD")
    assert (now.expires_ms, now.approval) == (40, "objected")
    assert [w.verdict for w in now.past.words] == ["approved", "objected"]
    engine.dispose()
