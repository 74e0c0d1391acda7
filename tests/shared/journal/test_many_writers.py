"""Many writers on one journal: numbers without a gap, in the order of commits, whatever is rolled back in between."""

from __future__ import annotations

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock

import pytest
from sqlalchemy import select

from shared.clock import FixedClock
from shared.db.engine import open_engine, read
from shared.db.types import metadata
from shared.journal.apply import Appliers
from shared.journal.fact import Draft, Occurred
from shared.journal.journal import Journal
from shared.journal.tables import contested, entry
from shared.journal.verify import verify
from shared.material import projection
from shared.material.facts import MaterialMoved

WRITERS, WORKS = 8, 12


class Aborted(Exception):
    """A business transaction that ends in a refusal."""


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def journal(request: pytest.FixtureRequest, tmp_path: Path, clock: FixedClock) -> Iterator[Journal]:
    sqlite = f"sqlite:///{tmp_path / 'node.sqlite'}"
    engine = open_engine(request.getfixturevalue("postgres_url") if request.param == "postgresql" else sqlite)
    metadata.create_all(engine)
    appliers = Appliers()
    projection.register(appliers)
    yield Journal("ALD", engine, clock, appliers)
    engine.dispose()


@pytest.mark.fault(57)
def test_eight_writers_that_abort_at_random_leave_no_gap_and_keep_the_order_of_commits(journal: Journal) -> None:
    kept: list[str] = []
    last_touch = Lock()

    def write_some(writer: int) -> int:
        chance, aborted = random.Random(writer), 0
        for number in range(WORKS):
            drafts = [_moved(f"m{chance.randrange(5)}", f"{writer}-{number}-{n}") for n in range(chance.randint(1, 3))]
            try:
                with journal.work() as tx:
                    ids = tx.record(*drafts)
                    if chance.random() < 0.3:
                        raise Aborted
                    with last_touch:  # the head is locked from here to the commit: this is the order of commits
                        kept.extend(ids)
            except Aborted:
                aborted += 1
        return aborted

    with ThreadPoolExecutor(WRITERS) as pool:
        aborted = sum(pool.map(write_some, range(WRITERS)))
    assert 0 < aborted < WRITERS * WORKS
    with read(journal.engine) as conn:
        rows = conn.execute(select(entry.c.seq, entry.c.fact_id).order_by(entry.c.seq)).all()
        assert verify(conn).findings == ()
        assert conn.execute(select(contested)).all() == []
    assert [row.seq for row in rows] == list(range(1, len(kept) + 1))
    assert [row.fact_id for row in rows] == kept


def _moved(piece: str, place: str) -> Draft[MaterialMoved]:
    return Draft(MaterialMoved(material_id=piece, place=place), (piece,), "p1", Occurred(1, "manual"))
