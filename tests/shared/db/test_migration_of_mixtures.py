"""A slab of before the upgrade keeps its mean shares; one cut after it has its heats by interval; on both databases."""

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
from shared.material.facts import Edge, Mass, MaterialTransformed, Mixture, NewAlias, NewMaterial, Size
from shared.material.trace import ancestor_places
from shared.subjects import REGISTERS

M = 1_000_000
OLD = (
    "INSERT INTO edge VALUES ('ALD', 'o', 0, 'transform', 'A', 'old', 0, 9000000, 0, 9000000, 0, 0, 0, 0, 1, 700000, "
    "false, false, false)",
    "INSERT INTO edge VALUES ('ALD', 'o', 1, 'transform', 'B', 'old', 0, 9000000, 0, 9000000, 0, 0, 0, 0, 1, 300000, "
    "false, false, false)",
)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def older(request: pytest.FixtureRequest, tmp_path: Path) -> Engine:
    url = f"sqlite:///{tmp_path / 'older.sqlite'}"
    engine = open_engine(url if request.param == "sqlite" else request.getfixturevalue("postgres_url"))
    with write(engine) as conn:
        command.upgrade(migrate.configuration(local_mes.wsgi.MIGRATIONS, conn), "shared_0017")
        for statement in OLD:
            conn.execute(text(statement))
    return engine


def test_old_slabs_have_their_mean_and_new_ones_their_intervals(older: Engine, clock: FixedClock) -> None:
    migrate.upgrade(older, local_mes.wsgi.MIGRATIONS)
    appliers = Appliers()
    for register in REGISTERS:
        register(appliers)
    slab = NewMaterial(
        material_id="new", kind="slab", aliases=(NewAlias("ALD.slab", "S"),), mass=Mass(9, "theoretical"),
        size=Size(length_um=9 * M),
    )  # fmt: skip
    edges = tuple(
        Edge(
            parent_id=heat, child_id="new", parent_from_um=0, parent_to_um=9 * M, child_from_um=0, child_to_um=9 * M,
            mass_g=4, share_ppm=500_000,
        )
        for heat in "AB"
    )  # fmt: skip
    told = Mixture(
        child_id="new", heats=("A", "B"), bounds_um=(0, 4 * M, 9 * M), shares_ppm=((M, 0), (90_000, 910_000))
    )
    fact = MaterialTransformed(
        operation_id="n", operation="cast", unit="CC1", started_at_ms=1, ended_at_ms=2, parents=(), children=(slab,),
        edges=edges, mixtures=(told,),
    )  # fmt: skip
    with Journal("ALD", older, clock, appliers).work() as tx:
        tx.record(Draft(payload=fact, subjects=("new",), actor="p", occurred=Occurred(9, "manual")))
    with read(older) as conn:
        heats = {
            slab: [(place.material_id, place.share_ppm) for place in ancestor_places(conn, slab, 5 * M) if place.depth]
            for slab in ("old", "new")
        }
    assert heats == {"old": [("A", 700_000), ("B", 300_000)], "new": [("A", 90_000), ("B", 910_000)]}
