"""A node of the release before keeps what is in force, and holds what plants find edited from then on."""

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
from shared.standards.edit_facts import StandardsFoundEdited
from shared.standards.edit_rows import Edits, find_edits, register


@pytest.mark.parametrize("on", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def test_what_is_edited_is_held_after_the_upgrade(
    on: str, tmp_path: Path, clock: FixedClock, request: pytest.FixtureRequest
) -> None:
    sqlite = f"sqlite:///{tmp_path / 'old.sqlite'}"
    engine = open_engine(sqlite if on == "sqlite" else request.getfixturevalue("postgres_url"))
    with write(engine) as conn:
        command.upgrade(migrate.configuration(central_hub.wiring.MIGRATIONS, conn), "shared_0032")
        row = "'ALD', 'QR', 1, 'aa', 2, 3, NULL, '{}'"
        names = "author, standard_id, version, sha256, effective_from_ms, adopted_ms, until_ms, bound"
        conn.execute(text(f"INSERT INTO standard_in_force ({names}) VALUES ({row})"))
        command.upgrade(migrate.configuration(central_hub.wiring.MIGRATIONS, conn), "heads")
    appliers = Appliers()
    register(appliers)
    with read(engine) as conn:
        assert find_edits(conn, "ALD") == Edits()
    for differences in ({"QR": ("first",)}, {"QR": ("a = 1", "b = 2")}):
        payload = StandardsFoundEdited(differences=differences)
        with Journal("ALD", engine, clock, appliers).work() as tx:
            tx.record(Draft(payload=payload, subjects=("s",), actor="p", occurred=Occurred(9, "system")))
    with read(engine) as conn:
        assert find_edits(conn, "ALD") == Edits({"QR": ("a = 1", "b = 2")}, clock.now_ms())
        assert conn.execute(text("SELECT version FROM standard_in_force")).scalar() == 1
    engine.dispose()
