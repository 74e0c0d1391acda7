"""A product's weighing belongs to the operation that made it, whatever became of the product since."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from shared.db.engine import read
from shared.journal.fact import Draft, Occurred, Payload
from shared.journal.journal import Journal
from shared.material import facts as f
from shared.material.tables import edge, operation

SLAB, COIL, OPERATION, STRANGER = ("a" * 32, "b" * 32, "c" * 32, "d" * 32)


def say(journal: Journal, payload: Payload) -> None:
    with journal.work() as tx:
        tx.record(Draft(payload, (COIL,), "l2:FM", Occurred(1_000, "l2:FM")))


def weighed(grams: int, operation_id: str = "", material_id: str = COIL) -> f.MaterialWeighed:
    return f.MaterialWeighed(material_id=material_id, mass=f.Mass(grams, "weighed"), operation_id=operation_id)


@pytest.fixture
def rolled(journal: Journal) -> Journal:
    slab = f.NewMaterial(material_id=SLAB, kind="slab", aliases=(), mass=f.Mass(20_600, "weighed"))
    coil = f.NewMaterial(material_id=COIL, kind="coil", aliases=(), mass=f.Mass(20_300, "theoretical"))
    say(journal, f.MaterialCreated(material=slab, origin="made"))
    made = f.Edge(
        parent_id=SLAB,
        child_id=COIL,
        parent_from_um=0,
        parent_to_um=9,
        child_from_um=0,
        child_to_um=900,
        mass_g=20_300,
    )
    say(
        journal,
        f.MaterialTransformed(
            operation_id=OPERATION,
            operation="roll",
            unit="FM",
            started_at_ms=1,
            ended_at_ms=2,
            parents=(f.Consumed(SLAB, 20_600),),
            children=(coil,),
            edges=(made,),
        ),
    )
    return journal


def balance(journal: Journal) -> tuple[int, int, int]:
    with read(journal.engine) as conn:
        done = conn.execute(select(operation)).one()
        carried = conn.execute(select(edge.c.mass_g)).scalar_one()
    return done.produced_g, done.unexplained_g, carried


def test_a_weighing_in_the_yard_before_that_of_the_line_does_not_bend_the_balance(rolled: Journal) -> None:
    say(rolled, weighed(20_250))
    say(rolled, weighed(20_290, OPERATION))
    assert balance(rolled) == (20_290, 310, 20_290)


def test_a_late_weighing_of_a_coil_that_is_used_in_part_counts_the_whole_coil(rolled: Journal) -> None:
    say(
        rolled,
        f.MaterialTransformed(
            operation_id="e" * 32,
            operation="cut",
            unit="CM1",
            started_at_ms=3,
            ended_at_ms=4,
            parents=(f.Consumed(COIL, 5_000, whole=False),),
            children=(),
            edges=(),
        ),
    )
    say(rolled, weighed(20_290, OPERATION))
    with read(rolled.engine) as conn:
        done = conn.execute(select(operation).where(operation.c.operation_id == OPERATION)).one()
    assert (done.produced_g, done.unexplained_g) == (20_290, 310)


def test_weighings_of_a_piece_the_operation_did_not_make_leave_its_balance(rolled: Journal) -> None:
    say(rolled, weighed(1_000, OPERATION, STRANGER))
    say(rolled, weighed(2_000, OPERATION, STRANGER))
    assert balance(rolled) == (20_300, 300, 20_300)
