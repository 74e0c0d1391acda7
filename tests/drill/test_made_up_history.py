"""A made-up group: the same seed gives the same rows, rows and facts agree, every step balances, positions come back."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, func, inspect, select

from drill.bench import bench
from drill.history.campaign import play
from drill.history.multiplying import COPIED, multiply
from drill.history.writing import END_MS, stories_of, write_history
from shared.db.engine import open_engine, read
from shared.errors import Refused
from shared.material.domain import holds_place, to_child, to_parent
from shared.material.facts import MaterialCreated, MaterialTransformed
from shared.material.search import find_by_part
from shared.material.tables import alias, edge, material, operation
from shared.material.trace import trace
from shared.node import create_tables
from shared.transfers.tables import receipt, shipment_line


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    on_file = request.param == "sqlite"
    engine = open_engine(f"sqlite:///{tmp_path / 'h.sqlite'}" if on_file else request.getfixturevalue("postgres_url"))
    create_tables(engine)
    yield engine
    engine.dispose()


def test_rows_are_those_that_the_facts_give(empty: Engine, tmp_path: Path) -> None:
    written = write_history(empty, 1_000, seed=3)
    other = open_engine(f"sqlite:///{tmp_path / 'facts.sqlite'}")
    create_tables(other)
    assert write_history(other, 1_000, seed=3, recorded=10**9) == written
    with read(empty) as conn, read(other) as facts:
        for table in (material, alias, edge, operation, shipment_line, receipt):
            clock = {"recorded_at_ms"}  # of a made-up row: the story's end
            names = [c for c in table.c if c.name not in clock]
            key = list(table.primary_key.columns)
            rows = conn.execute(select(*names).order_by(*key)).all()
            assert sorted(map(str, rows)) == sorted(map(str, facts.execute(select(*names).order_by(*key)).all()))
        assert conn.execute(select(func.max(func.abs(operation.c.unexplained_g)))).scalar() == 0
        states = set(conn.execute(select(material.c.state)).scalars())
    assert {"shipped", "consumed"} <= states
    other.dispose()
    check_copies(empty)


def check_copies(engine: Engine) -> None:
    """Copies have the same graph in other ids and other numbers, and the indexes that were there before."""
    with read(engine) as conn:
        pieces = conn.execute(select(func.count()).select_from(material)).scalar_one()
        heat = conn.execute(select(func.min(material.c.material_id)).where(material.c.kind == "heat")).scalar_one()
        first = trace(conn, heat, "forward")
    indexes = {one["name"] for table in COPIED for one in inspect(engine).get_indexes(table.name)}
    multiply(engine, 3)
    assert {one["name"] for table in COPIED for one in inspect(engine).get_indexes(table.name)} == indexes
    with read(engine) as conn:
        assert conn.execute(select(func.count()).select_from(material)).scalar_one() == 3 * pieces
        assert trace(conn, heat, "forward").edges == first.edges
        copy = trace(conn, f"03{heat[2:]}", "forward")
        found = find_by_part(conn, copy.numbers[copy.material_id][0])
    assert [step.child_id[2:] for step in copy.edges] == [step.child_id[2:] for step in first.edges]
    assert {step.child_id[:2] for step in copy.edges} == {"03"}
    assert copy.material_id in found.ids
    assert {piece[:2] for piece in found.ids} == {"03"}


def test_another_seed_tells_another_story() -> None:
    same, again, other = (play(next(stories_of(1_000, seed))) for seed in (1, 1, 2))
    assert same == again
    assert same != other


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10**6), at=st.fractions(0, 1))
def test_a_place_on_a_last_piece_comes_back_through_every_pass(seed: int, at: object) -> None:
    phases, born = play(next(islice(stories_of(10_000, seed), 1)))
    steps = [d.payload for _, drafts in phases for d in drafts if isinstance(d.payload, MaterialTransformed)]
    heats = [d.payload for _, drafts in phases for d in drafts if isinstance(d.payload, MaterialCreated)]
    assert born == len(heats) + sum(len(step.children) for step in steps)
    by_child: dict[str, list] = {}
    for step in steps:
        for one in step.edges:
            by_child.setdefault(one.child_id, []).append(one)
    last = next(child for step in reversed(steps) for child in step.children)
    piece, place, passed = last.material_id, last.size.length_um * at, []
    while made := [e for e in by_child.get(piece, []) if holds_place(e, place, None)]:
        passed.append(made[0])
        place, piece = to_parent(made[0]).along(place), made[0].parent_id
    for one in reversed(passed):
        place = to_child(one).along(place)
    assert place == last.size.length_um * at
    assert len(passed) >= 2


def test_the_command_writes_into_an_empty_database_only(tmp_path: Path) -> None:
    file = str(tmp_path / "g.sqlite")
    asked = ["generate", "--materials", "1000", "--database", file]
    told = CliRunner().invoke(bench, asked, catch_exceptions=False)
    assert "pieces told by" in told.output
    with pytest.raises(Refused):
        CliRunner().invoke(bench, asked, catch_exceptions=False)
    with read(open_engine(f"sqlite:///{file}")) as conn:
        assert conn.execute(select(func.max(material.c.born_at_ms))).scalar_one() < END_MS
