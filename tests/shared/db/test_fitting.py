"""A text is as long as its column on every database: what PostgreSQL would refuse is refused on SQLite too."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import select

from shared.db.engine import read
from shared.errors import BadInput
from shared.journal.fact import Draft, Occurred, Payload
from shared.journal.journal import Journal
from shared.journal.tables import fact
from shared.material import facts as f
from shared.material import projection

A = "a" * 32


def piece(number: str) -> f.NewMaterial:
    return f.NewMaterial(
        material_id=A, kind="slab", aliases=(f.NewAlias("ALD.slab", number),), mass=f.Mass(1, "weighed")
    )


@pytest.mark.parametrize(
    ("payload", "subject"),
    [
        (f.MaterialCreated(material=piece("9" * 65), origin="made"), A),
        (f.MaterialMoved(material_id=A, place="row " * 20), A),
        (f.MaterialMoved(material_id=A, place="YA"), "s" * 65),
    ],
)
def test_a_fact_that_only_sqlite_could_keep_is_not_recorded(
    make_journal: Callable[..., Journal], payload: Payload, subject: str
) -> None:
    journal = make_journal("ALD", projection.register)
    with pytest.raises(BadInput) as refused, journal.work() as tx:
        tx.record(Draft(payload, (subject,), "p1", Occurred(1, "manual")))
    assert refused.value.code == "db.text_too_long"
    with read(journal.engine) as conn:
        assert conn.execute(select(fact)).all() == []


def test_a_text_that_just_fits_is_kept_in_characters_not_bytes(make_journal: Callable[..., Journal]) -> None:
    journal = make_journal("ALD", projection.register)
    with journal.work() as tx:
        tx.record(Draft(f.MaterialCreated(material=piece("\u00e9" * 64), origin="made"), (A,), "p1", Occurred(1, "m")))
    with read(journal.engine) as conn:
        assert len(conn.execute(select(fact)).all()) == 1
