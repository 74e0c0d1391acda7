"""Rows changed by hand are named, column by column, and put right from the journal alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import delete, select, update

from shared.db.engine import read, write
from shared.journal.content_hash import content_hash
from shared.journal.fact import Draft, Occurred
from shared.journal.rederive import put_right
from shared.material import projection
from shared.material.facts import Mass, MaterialCreated, NewAlias, NewMaterial
from shared.material.tables import material


def test_a_row_that_is_missing_one_that_was_invented_and_one_that_was_changed_are_told_and_mended(
    make_journal: Any, engine: Any, tmp_path: Path
) -> None:
    journal = make_journal("ALD", projection.register)
    with journal.work() as tx:
        for piece in "abc":
            mass = Mass(20_000_000, "theoretical")
            new = NewMaterial(material_id=piece * 32, kind="slab", aliases=(NewAlias("t", piece),), mass=mass)
            tx.record(Draft(MaterialCreated(material=new, origin="made"), (piece * 32,), "p", Occurred(1, "manual")))
    with write(engine) as conn:
        sound = content_hash(conn, "ALD")
        row = dict(conn.execute(select(material).where(material.c.material_id == "b" * 32)).mappings().one())
        conn.execute(delete(material).where(material.c.material_id == "a" * 32))
        conn.execute(update(material).where(material.c.material_id == "b" * 32).values(mass_g=7))
        conn.execute(material.insert().values(row | {"material_id": "d" * 32}))
        assert content_hash(conn, "ALD") != sound
    found = put_right(engine, journal.appliers, "ALD", tmp_path)
    assert [(d.table, d.key, d.column, d.here, d.derived) for d in found] == [
        ("material", f'["{"a" * 32}"]', "*", "no row", "a row"),
        ("material", f'["{"b" * 32}"]', "mass_g", 7, 20_000_000),
        ("material", f'["{"d" * 32}"]', "*", "a row", "no row"),
    ]
    with read(engine) as conn:
        assert content_hash(conn, "ALD") == sound
    assert put_right(engine, journal.appliers, "ALD", tmp_path) == []
