"""A database of the first release gets its heads a author at a time, from the journal it has, and goes on from there."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from alembic import command
from sqlalchemy import Connection, Engine, select, text

import local_mes.wsgi
from shared.clock import FixedClock
from shared.db import migrate
from shared.db.engine import open_engine, read, write
from shared.journal.apply import Appliers
from shared.journal.fact import Draft, Occurred
from shared.journal.journal import Journal
from shared.journal.tables import contested, fact, subject_head
from shared.material import projection
from shared.material.facts import MaterialMoved

BRANCH = local_mes.wsgi.MIGRATIONS
EPOCHS = {"ALD": ("a1", "a2"), "HUB>ALD": ("h1",)}


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def first_release(request: pytest.FixtureRequest, tmp_path: Path) -> Engine:
    """Facts of two lives of ALD, one of BRK that came down in between, one that was never applied."""
    sqlite = f"sqlite:///{tmp_path / 'old.sqlite'}"
    engine = open_engine(sqlite if request.param == "sqlite" else request.getfixturevalue("postgres_url"))
    with write(engine) as conn:
        command.upgrade(migrate.configuration(BRANCH, conn), "shared_0002")
        for stream, epochs in EPOCHS.items():
            for ordinal, epoch in enumerate(epochs, start=1):
                put(conn, "epoch", stream=stream, epoch=epoch, ordinal=ordinal, reason="first", opened_at_ms=0)
        tell(conn, "ALD", "a1", 1, "own-1", "piece", "other")
        tell(conn, "HUB>ALD", "h1", 1, "theirs", "piece", author="BRK")
        tell(conn, "ALD", "a1", 2, "own-2", "piece")
        tell(conn, "HUB>ALD", "h1", 2, "theirs-2", "other", author="BRK")
        tell(conn, "ALD", "a2", 1, "own-3", "third")
        tell(conn, "ALD", "a2", 2, "not-applied", "third", is_applied=False)
        put(conn, "head", stream="ALD", epoch="a2", seq=2, hash="0" * 64, recorded_at_ms=1)
        for subject, last in (("piece", "own-2"), ("other", "theirs-2"), ("third", "own-3")):
            put(conn, "subject_head", subject=subject, fact_id=last)
    return engine


def put(conn: Connection, table: str, **values: object) -> None:
    names = ", ".join(values)
    conn.execute(text(f"INSERT INTO {table} ({names}) VALUES ({', '.join(':' + n for n in values)})"), values)


def tell(
    conn: Connection,
    stream: str,
    epoch: str,
    seq: int,
    fact_id: str,
    *subjects: str,
    author: str = "ALD",
    is_applied: bool = True,
) -> None:
    body = msgspec.json.encode({"fact_id": fact_id, "subjects": [{"id": s, "prev": None} for s in subjects]})
    values = {"fact_id": fact_id, "author": author}
    put(conn, "fact", **values, type="MaterialMoved", version=1, recorded_at_ms=1, body=body)
    put(conn, "entry", stream=stream, epoch=epoch, seq=seq, hash="0" * 64, fact_id=fact_id)
    if is_applied:
        put(conn, "applied", **values)


def test_heads_come_from_each_authors_own_stream_and_recording_goes_on_from_them(
    first_release: Engine, clock: FixedClock
) -> None:
    migrate.upgrade(first_release, BRANCH)
    with read(first_release) as conn:
        found = {(row.author, row.subject): row.fact_id for row in conn.execute(select(subject_head))}
    assert found == {("ALD", "piece"): "own-2", ("ALD", "other"): "own-1", ("ALD", "third"): "own-3"}
    appliers = Appliers()
    projection.register(appliers)
    with Journal("ALD", first_release, clock, appliers).work() as tx:
        (made,) = tx.record(Draft(MaterialMoved(material_id="x", place="YA"), ("other",), "p", Occurred(1, "manual")))
        body = tx.conn.execute(select(fact.c.body).where(fact.c.fact_id == made)).scalar_one()
        assert tx.conn.execute(select(contested)).all() == []
    assert msgspec.json.decode(body)["subjects"] == [{"id": "other", "prev": "own-1"}]
