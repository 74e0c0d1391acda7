"""Recording in bulk leaves what recording one by one leaves: the same bytes, a sound chain, the same rows."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select

from shared.clock import FixedClock
from shared.db.engine import open_engine, read
from shared.db.types import metadata
from shared.errors import BadInput
from shared.ids import derived_id
from shared.journal.apply import Appliers
from shared.journal.bulk import record_many
from shared.journal.content_hash import content_hash
from shared.journal.fact import Draft, Occurred
from shared.journal.journal import Journal
from shared.journal.subjects import subject_head
from shared.journal.tables import entry, fact, head
from shared.journal.verify import verify
from shared.material import projection
from shared.material.facts import Mass, MaterialCreated, MaterialMoved, MaterialWeighed, NewAlias, NewMaterial


def drafts(count: int) -> list[Draft]:
    made = []
    for number in range(count):
        piece = derived_id(1, "piece", number // 4)
        payload = (
            MaterialCreated(
                material=NewMaterial(
                    material_id=piece, kind="slab", aliases=(NewAlias("A.slab", f"S{number}"),), mass=Mass(1, "weighed")
                ),
                origin="made",
            ),
            MaterialMoved(material_id=piece, place=f"Y{number}"),
            MaterialWeighed(material_id=piece, mass=Mass(number, "weighed", "W1", number)),
            MaterialMoved(material_id=piece, place=f"Z{number}"),
        )[number % 4]
        made.append(
            Draft(
                payload=payload,
                subjects=(piece, piece, "load-1") if number % 5 == 0 else (piece,),
                actor="p",
                occurred=Occurred(number, "manual"),
                fact_id=derived_id(2, "fact", number),
            )
        )
    return made


@pytest.fixture
def journals(tmp_path: Path):
    made = []
    for name in ("single", "bulk"):
        engine = open_engine(f"sqlite:///{tmp_path / name}.sqlite")
        metadata.create_all(engine)
        appliers = Appliers()
        projection.register(appliers)
        made.append(Journal("ALD", engine, FixedClock(1_773_205_200_000), appliers))
    yield made
    for journal in made:
        journal.engine.dispose()


def left(journal: Journal):
    with read(journal.engine) as conn:
        assert verify(conn).findings == ()
        return (
            conn.execute(select(fact).order_by(fact.c.fact_id)).all(),
            conn.execute(select(entry.c.seq, entry.c.fact_id).order_by(entry.c.seq)).all(),
            conn.execute(select(subject_head).order_by(subject_head.c.subject)).all(),
            conn.execute(select(head.c.seq, head.c.recorded_at_ms)).all(),
            content_hash(conn, "ALD"),
        )


def test_bulk_leaves_what_one_by_one_leaves(journals):
    single, bulk = journals
    wanted = drafts(42)
    for at in (0, 17, 18, 30):
        part = wanted[max(0, at - 3) : at + 14]  # parts overlap: what is recorded already changes nothing
        with single.work() as tx:
            one = tx.record(*part)
        with bulk.work() as tx:
            assert record_many(tx, part) == one
    assert left(single) == left(bulk)
    assert left(bulk)[3][0].seq == 42


def test_the_same_fact_twice_in_one_call_is_recorded_once(journals):
    _, bulk = journals
    (one,) = drafts(1)
    with bulk.work() as tx:
        assert record_many(tx, [one, one]) == [one.fact_id] * 2
        assert tx.recorded == [one.fact_id]
        assert record_many(tx, []) == []


def test_one_that_is_refused_takes_all_with_it(journals):
    _, bulk = journals
    good = drafts(3)
    bad = Draft(
        payload=MaterialMoved(material_id="x", place="a" * 300_000),
        subjects=("x",),
        actor="p",
        occurred=Occurred(1, "manual"),
    )
    with pytest.raises(BadInput), bulk.work() as tx:
        record_many(tx, [*good, bad])
    with read(bulk.engine) as conn:
        assert conn.execute(select(entry)).all() == []


def test_listeners_are_woken_once_after_the_commit(journals):
    _, bulk = journals
    woken = []
    bulk.listen(lambda: woken.append(1))
    with bulk.work() as tx:
        record_many(tx, drafts(5))
        assert woken == []
    assert woken == [1]
