"""Walks with filters and cut-offs, numbers by their beginning, places carried forward: over a made-up group."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, func, select, text

from drill.history.writing import write_history
from shared.db.engine import open_engine, read
from shared.errors import BadInput
from shared.material import queries, search
from shared.material.domain import to_child
from shared.material.queries import MaterialFilter, list_materials, numbers_of
from shared.material.search import find_by_part, suggest
from shared.material.spread import Area, area, carry, spread
from shared.material.tables import alias, edge, material
from shared.material.trace import TraceFilter, trace
from shared.material.walk import Step, known_authors, walk
from shared.node import create_tables


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def conn(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connection]:
    folder = tmp_path_factory.mktemp("history")
    url = f"sqlite:///{folder / 'h.sqlite'}"
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres_cluster")
        with open_engine(url).connect() as admin:
            made = admin.execution_options(isolation_level="AUTOCOMMIT")
            made.execute(text("CREATE DATABASE walks"))
        url = url.replace("@/postgres?", "@/walks?")
    engine = open_engine(url)
    create_tables(engine)
    write_history(engine, 1_000, seed=7)
    with read(engine) as opened:
        yield opened
    engine.dispose()


@pytest.fixture(scope="module")
def heat(conn: Connection) -> str:
    born = select(material.c.material_id).where(material.c.kind == "heat").order_by(material.c.material_id)
    return str(conn.execute(born).scalars().all()[1])


def reached_by_hand(conn: Connection, start: str) -> set[str]:
    pairs = conn.execute(select(edge.c.parent_id, edge.c.child_id)).all()
    found, front = {start}, {start}
    while front := {child for parent, child in pairs if parent in front} - found:
        found |= front
    return found


def test_a_walk_finds_what_a_plain_search_of_all_edges_finds(conn: Connection, heat: str) -> None:
    steps = walk(conn, [heat], backward=False).steps
    assert {step.child_id for step in steps} | {heat} == reached_by_hand(conn, heat)
    assert [step.depth for step in steps] == sorted(step.depth for step in steps)
    last = steps[-1]
    back = walk(conn, [last.child_id], backward=True).steps
    assert heat in {step.parent_id for step in back}


def test_what_is_cut_off_is_said(conn: Connection, heat: str) -> None:
    whole = trace(conn, heat, "forward")
    assert not whole.cut
    assert whole.cut.words == ""
    near = trace(conn, heat, "forward", depth=1)
    slabs = {step.child_id for step in near.edges}
    assert {step.depth for step in near.edges} == {1}
    assert set(near.cut.open_ends) <= slabs
    assert "go on beyond" in near.cut.words
    few = trace(conn, heat, "forward", count=5)
    assert len(few.edges) == 5
    assert few.cut.more
    assert [step.child_id for step in few.edges] == [step.child_id for step in whole.edges[:5]]
    assert not trace(conn, heat, "forward", count=len(whole.edges)).cut


def test_a_trace_has_every_row_and_number_of_what_it_reaches(conn: Connection, heat: str) -> None:
    for start, direction in ((heat, "forward"), (trace(conn, heat, "forward").edges[-1].child_id, "backward")):
        found = trace(conn, start, "both")
        assert found.edges == trace(conn, start, direction).edges
        ids = {start} | {end for step in found.edges for end in (step.parent_id, step.child_id)}
        told = conn.execute(select(material).where(material.c.material_id.in_(ids))).all()
        assert sorted(found.rows) == sorted(map(tuple, told))
        assert found.numbers == numbers_of(conn, sorted(ids))
    unknown = trace(conn, "f" * 32)
    assert (unknown.edges, unknown.rows, unknown.numbers) == ([], [], {})


def test_filters_show_a_part_and_walk_through_all(conn: Connection, heat: str) -> None:
    whole = trace(conn, heat, "forward")
    slits = trace(conn, heat, "forward", wanted=TraceFilter(kinds=frozenset({"slit"})))
    kinds = {row.material_id: row.kind for row in whole.rows}
    assert {step.child_id for step in slits.edges} == {piece for piece, kind in kinds.items() if kind == "slit"}
    assert slits.cut.hidden == len(whole.edges) - len(slits.edges) > 0
    mill = trace(conn, heat, "forward", wanted=TraceFilter(plants=frozenset({"BRK"}), operations=frozenset({"roll"})))
    assert {step.author for step in mill.edges} == {"BRK"}
    never = trace(conn, heat, "both", wanted=TraceFilter(from_ms=1, to_ms=2))
    assert not never.edges
    assert [row.material_id for row in never.rows] == [heat]


def test_numbers_are_found_by_their_beginning_in_any_case(conn: Connection) -> None:
    number = conn.execute(select(func.max(alias.c.value)).where(alias.c.value.like("B%-%"))).scalar_one()
    begins = number[:4]
    wanted = conn.execute(select(alias.c.material_id).where(alias.c.value.like(f"{begins}%"))).scalars().all()
    assert set(find_by_part(conn, begins.lower()).ids) == set(wanted)
    assert [found for found, _ in suggest(conn, begins, 3)] == sorted(found for found, _ in suggest(conn, begins, 3))
    rows, _ = list_materials(conn, MaterialFilter(q=number))
    assert {row.material_id for row in rows} == {
        *conn.execute(select(alias.c.material_id).where(alias.c.value == number)).scalars()
    }
    inside = find_by_part(conn, number[3:9])
    assert set(find_by_part(conn, number).ids) <= set(inside.ids)
    assert find_by_part(conn, "  ").ids == ()
    assert find_by_part(conn, "no such number").ids == ()
    assert find_by_part(conn, "%").ids == ()


def test_a_search_that_stops_early_says_so(conn: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    few = find_by_part(conn, "B", limit=3)
    assert (len(few.ids), few.cut) == (3, "first")
    assert search.CUTS["first"]
    monkeypatch.setattr(search, "YOUNGEST", 10)
    assert find_by_part(conn, "zzz").cut == "youngest"


def test_the_beginning_is_a_range_of_an_index(conn: Connection) -> None:
    ask = search._BEGINS._call(conn, {"low": "B", "high": "C", "most": 10})
    explain = "EXPLAIN QUERY PLAN " if conn.dialect.name == "sqlite" else "EXPLAIN "
    if conn.dialect.name == "postgresql":
        conn.execute(text("SET enable_seqscan = off"))  # a small table is read whole all the same
    plan = str(conn.exec_driver_sql(explain + ask[0], ask[1]).all())
    assert "ix_alias_value" in plan
    assert "SCAN alias" not in plan


def test_the_numbers_of_a_piece_come_from_an_index_alone(conn: Connection) -> None:
    if conn.dialect.name == "sqlite":
        ask = queries._NUMBERS._call(conn, {"ids": ["a"]})
        plan = str(conn.exec_driver_sql("EXPLAIN QUERY PLAN " + ask[0], ask[1]).all())
        assert "COVERING INDEX ix_alias_of_piece" in plan


def test_authors_are_found_without_reading_all(conn: Connection) -> None:
    assert known_authors(conn) == {"ALD", "BRK", "CLD"}


def test_a_place_on_a_slab_reaches_only_what_holds_it(conn: Connection) -> None:
    rolled = select(edge).where(edge.c.author == "CLD", edge.c.flip_width, edge.c.parent_left_um > 0)
    slit = conn.execute(rolled.order_by(edge.c.operation_id, edge.c.ordinal)).first()
    assert slit is not None
    coil, left, right = slit.parent_id, slit.parent_left_um, slit.parent_right_um
    middle = (left + right) // 2
    found = spread(conn, {coil: [area(1_000_000, 1_500_000, middle, middle + 1_000)]})
    siblings = {step.child_id for step in walk(conn, [coil], False, depth=1).steps}
    assert len(siblings) > 1
    assert set(found) & siblings == {slit.child_id}
    depth, parts = found[slit.child_id]
    assert depth == 1
    got = parts[0].rounded
    assert got[1] - got[0] == 500_000
    assert got[3] - got[2] == 1_000  # type: ignore[operator]
    everything = spread(conn, {coil: [area(0, slit.parent_to_um)]})
    assert siblings <= set(everything)
    with pytest.raises(BadInput):
        area(5, 4)


STEP = Step("A", "0" * 32, 0, "transform", "p", "c", 0, 0, 0, 0, 0, 0, 0, 0, 1, 1_000_000, False, False, False, 1)


@given(
    cut=st.tuples(st.integers(0, 10**6), st.integers(1, 10**6)),
    out=st.integers(1, 10**7),
    part=st.tuples(st.integers(0, 10**6), st.integers(1, 10**6)),
    flip=st.booleans(),
)
def test_a_carried_part_is_the_image_of_what_lies_in_the_cut(
    cut: tuple[int, int], out: int, part: tuple[int, int], flip: bool
) -> None:
    low, high = cut[0], cut[0] + cut[1]
    step = STEP._replace(parent_from_um=low, parent_to_um=high, child_to_um=out, flip_length=flip, flip_face=flip)
    asked = Area((Fraction(part[0]), Fraction(part[0] + part[1])))
    got = carry(step, asked)
    inside = max(asked.along[0], low), min(asked.along[1], high)
    if inside[0] >= inside[1]:
        assert got is None
        return
    assert got is not None
    images = sorted(to_child(step).along(x) for x in inside)
    assert list(got.along) == images
    assert 0 <= got.along[0] <= got.along[1] <= out
