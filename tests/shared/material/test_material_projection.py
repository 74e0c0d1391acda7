"""Facts of material as rows: each kind of fact, unknown rows left alone, bulk the same as one by one."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Engine, select

from shared.clock import FixedClock
from shared.db.engine import open_engine, read, write
from shared.db.types import metadata
from shared.journal.apply import Appliers
from shared.journal.fact import Draft, Occurred, Payload, decode
from shared.journal.journal import Journal
from shared.journal.tables import fact as fact_table
from shared.material import facts as f
from shared.material import projection
from shared.material.history import history
from shared.material.queries import (
    MaterialFilter,
    count_materials,
    current_holder,
    find_by_number,
    find_material,
    find_piece,
    get_piece,
    list_materials,
    live_numbers,
    numbers_of,
)
from shared.material.tables import alias, deviation_raised, edge, mass_history, material, operation
from shared.material.trace import trace
from shared.units import share_out

A, B, C, P = (letter * 32 for letter in "abcd")


def say(journal: Journal, payload: Payload, *subjects: str, at_ms: int = 1_000) -> None:
    with journal.work() as tx:
        tx.record(Draft(payload, subjects or (A,), "person", Occurred(at_ms, "manual")))


def born(material_id: str, *numbers: str, kind: str = "slab", mass_g: int = 20_000_000, **more: Any) -> f.NewMaterial:
    return f.NewMaterial(
        material_id=material_id,
        kind=kind,
        mass=f.Mass(mass_g, "theoretical"),
        aliases=tuple(f.NewAlias("test", number) for number in numbers),
        **more,
    )


def create(journal: Journal, piece: f.NewMaterial, at_ms: int = 1_000, **more: Any) -> None:
    say(journal, f.MaterialCreated(material=piece, origin="made", **more), piece.material_id, at_ms=at_ms)


def row(journal: Journal, material_id: str) -> Any:
    with read(journal.engine) as conn:
        return find_material(conn, journal.code, material_id)


def rows(engine: Engine) -> dict[str, list[Any]]:
    with read(engine) as conn:
        return {
            table.name: sorted(map(tuple, conn.execute(select(table))), key=str)
            for table in metadata.sorted_tables
            if table.info.get("kind") == "projection"
        }


def test_a_birth_writes_row_numbers_and_first_mass(journal: Journal) -> None:
    create(
        journal,
        born(A, "161604-2-3", "BS6-08817", grade="L06", place="YB-3", order_item="710045/10"),
        heat_number="261604",
        chemistry_e6={"Mn": 2200, "C": 440},
    )
    found = row(journal, A)
    assert (found.number, found.state, found.origin, found.place) == ("161604-2-3", "live", "made", "YB-3")
    assert (found.heat_number, found.chemistry) == ("261604", '{"C": 440, "Mn": 2200}')
    with read(journal.engine) as conn:
        assert numbers_of(conn, [A]) == {A: ["161604-2-3", "BS6-08817"]}
        assert [m.mass_g for m in conn.execute(select(mass_history))] == [20_000_000]


def test_places_masses_orders_and_marks_follow(journal: Journal) -> None:
    create(journal, born(A, "S1"))
    say(journal, f.MaterialMoved(material_id=A, place="YB-9"), at_ms=2_000)
    say(journal, f.MaterialWeighed(material_id=A, mass=f.Mass(20_100_000, "weighed", "WS1", 2_500)), at_ms=2_500)
    say(journal, f.OrderAssigned(material_id=A, order_item="710066/10", grade="DD11", reason="index"), at_ms=3_000)
    say(journal, f.OrderAssigned(material_id=A, order_item="stock"), at_ms=3_500)
    say(journal, f.AliasGiven(material_id=A, alias=f.NewAlias("BRK.slab", "BS6-1")), at_ms=4_000)
    say(journal, f.MarkPlaced(mark_id="m" * 32, material_id=A, kind="ML", from_um=1, to_um=2), at_ms=5_000)
    say(
        journal,
        f.DeviationRaised(deviation_id="d" * 32, rule="hold", text="held and charged", material_id=A),
        at_ms=6_000,
    )
    found = row(journal, A)
    assert (found.place, found.mass_g, found.mass_basis, found.mass_scale, found.mass_at_ms) == (
        "YB-9",
        20_100_000,
        "weighed",
        "WS1",
        2_500,
    )
    assert (found.order_item, found.grade) == ("stock", "DD11")
    with read(journal.engine) as conn:
        life = history(conn, A)
        assert [d.text for d in conn.execute(select(deviation_raised))] == ["held and charged"]
    assert [e.what for e in life] == ["mass", "number", "place", "mass", "number", "mark", "deviation"]


def test_a_fact_of_an_unknown_piece_changes_no_piece(journal: Journal) -> None:
    say(journal, f.MaterialMoved(material_id=A, place="YB-9"))
    say(journal, f.MaterialWeighed(material_id=A, mass=f.Mass(1, "weighed"), operation_id=B))
    say(journal, f.MaterialScrapped(material_id=A, mass_g=1, reason="x"))
    say(journal, f.OrderAssigned(material_id=A, order_item="stock"))
    say(journal, f.MaterialIdentified(provisional_id=A, material_id=B, evidence="x"))
    with read(journal.engine) as conn:
        assert conn.execute(select(material)).all() == []
        assert conn.execute(select(alias)).all() == []


def transform(
    parents: tuple[f.Consumed, ...], child: f.NewMaterial, losses: tuple[f.Loss, ...] = ()
) -> f.MaterialTransformed:
    masses = share_out(child.mass.g, [p.charged_g for p in parents])
    return f.MaterialTransformed(
        operation_id="o" * 31 + child.material_id[0],
        operation="roll",
        unit="FM",
        started_at_ms=1,
        ended_at_ms=5_000,
        parents=parents,
        children=(child,),
        losses=losses,
        values={"ft_avg_mc": 880_000},
        edges=tuple(
            f.Edge(
                parent_id=p.material_id,
                child_id=child.material_id,
                parent_from_um=0,
                parent_to_um=10,
                child_from_um=0,
                child_to_um=100,
                mass_g=m,
            )
            for p, m in zip(parents, masses, strict=True)
        ),
    )


def test_a_step_uses_up_its_parent_and_its_child_inherits(journal: Journal) -> None:
    create(journal, born(A, "S1"), heat_number="261604", chemistry_e6={"C": 440})
    losses = (f.Loss("scale", 150_000), f.Loss("zinc", -50_000))
    say(journal, transform((f.Consumed(A, 20_000_000),), born(B, "C1", kind="coil", mass_g=19_890_000), losses), B, A)
    assert (row(journal, A).state, row(journal, A).ended_at_ms) == ("consumed", 5_000)
    coil = row(journal, B)
    assert (coil.heat_number, coil.chemistry, coil.born_at_ms) == ("261604", '{"C": 440}', 5_000)
    with read(journal.engine) as conn:
        done = conn.execute(select(operation)).one()
    assert (done.charged_g, done.produced_g, done.loss_g, done.added_g, done.unexplained_g) == (
        20_000_000,
        19_890_000,
        150_000,
        50_000,
        10_000,
    )


def test_part_of_a_parent_leaves_the_rest_alive(journal: Journal) -> None:
    create(journal, born(A, "S1"))
    say(journal, transform((f.Consumed(A, 5_000_000, whole=False),), born(B, "C1", mass_g=4_900_000)), B, A)
    assert (row(journal, A).state, row(journal, A).mass_g) == ("live", 15_000_000)


def test_the_weighing_of_a_product_closes_its_operation(journal: Journal) -> None:
    create(journal, born(A, "S1"))
    create(journal, born(C, "S2"))
    parents = (f.Consumed(A, 10_000_000), f.Consumed(C, 5_000_000))
    say(journal, transform(parents, born(B, "C1", mass_g=14_900_000)), B, A, C)
    weighed = f.MaterialWeighed(material_id=B, mass=f.Mass(14_940_000, "weighed", "CW1"), operation_id="o" * 31 + "b")
    say(journal, weighed, B)
    with read(journal.engine) as conn:
        done = conn.execute(select(operation)).one()
        masses = [e.mass_g for e in conn.execute(select(edge).order_by(edge.c.ordinal))]
    assert (done.produced_g, done.unexplained_g) == (14_940_000, 60_000)
    assert masses == [9_960_000, 4_980_000]
    assert row(journal, B).mass_g == 14_940_000


def test_a_provisional_piece_that_is_identified_keeps_its_history(journal: Journal) -> None:
    create(journal, born(P, "BS6-1", place="YB-1", size=f.Size(220_000, 1_280_000, 9_300_000)))
    say(journal, transform((f.Consumed(P, 1_000_000, whole=False),), born(B, "C1", mass_g=1_000_000)), B, P)
    say(journal, f.MaterialIdentified(provisional_id=P, material_id=A, evidence="sender's data"), A, P, at_ms=9_000)
    assert (row(journal, P).state, row(journal, P).identified_as) == ("identified", A)
    assert (row(journal, A).state, row(journal, A).place, row(journal, A).number) == ("live", "YB-1", "BS6-1")
    with read(journal.engine) as conn:
        assert get_piece(conn, "BS6-1").material_id == A
        back = trace(conn, B, "backward")
        ahead = trace(conn, A, "forward")
    assert {e.parent_id for e in back.edges} == {P, A}
    assert {e.child_id for e in ahead.edges} == {P, B}


def test_identifying_twice_or_as_itself_changes_nothing_more(journal: Journal) -> None:
    create(journal, born(P, "BS6-1"))
    say(journal, f.MaterialIdentified(provisional_id=P, material_id=P, evidence="x"), P)
    assert row(journal, P).state == "live"
    say(journal, f.MaterialIdentified(provisional_id=P, material_id=A, evidence="x"), P)
    say(journal, f.MaterialMoved(material_id=A, place="YB-2"), A)
    say(journal, f.MaterialIdentified(provisional_id=P, material_id=A, evidence="again"), P)
    assert (row(journal, A).place, row(journal, A).state) == ("YB-2", "live")


def test_numbers_prefer_what_lives(journal: Journal) -> None:
    create(journal, born(A, "C6-1", kind="coil"), at_ms=1_000)
    say(journal, transform((f.Consumed(A, 20_000_000),), born(B, "C6-1", kind="coil")), B, A)
    create(journal, born(C, "C6-2", kind="coil"))
    with read(journal.engine) as conn:
        assert [r.material_id for r in find_by_number(conn, " C6-1 ")] == [B, A]
        assert find_piece(conn, A).material_id == A
        assert find_piece(conn, "C6-1", "ALD") is None
        assert live_numbers(conn, "BRK", ["C6-1", "C6-2", "C6-3"]) == {"C6-1", "C6-2"}


def test_lists_filter_and_page(journal: Journal) -> None:
    for i in range(7):
        create(journal, born(f"{i:032x}", f"S_{i}", grade="L06" if i % 2 else "M15"))
    seen, after = [], ""
    with read(journal.engine) as conn:
        for _ in range(4):
            page, cursor = list_materials(conn, MaterialFilter(author="BRK"), after, 2)
            seen += [r.number for r in page]
            after = cursor or ""
        assert cursor is None
        assert seen == [f"S_{i}" for i in reversed(range(7))]
        assert [r.number for r in list_materials(conn, MaterialFilter(q="S_3"))[0]] == ["S_3"]
        assert list_materials(conn, MaterialFilter(q="S%3"))[0] == []
        assert count_materials(conn, MaterialFilter(grade="L06")) == (3, 60_000_000)


def test_shipped_and_back(journal: Journal) -> None:
    create(journal, born(A, "S1"))
    with write(journal.engine) as conn:
        projection.mark_shipped(conn, "BRK", "f" * 32, 7_000, [A])
    assert (row(journal, A).state, row(journal, A).ended_at_ms) == ("shipped", 7_000)
    with write(journal.engine) as conn:
        projection.mark_back(conn, "BRK", "e" * 32, [A])
    assert (row(journal, A).state, row(journal, A).ended_at_ms) == ("live", None)


def test_what_is_scrapped_has_ended_and_nothing_else_has(journal: Journal) -> None:
    create(journal, born("a" * 32, "1"))
    create(journal, born("b" * 32, "2"))
    say(journal, f.MaterialScrapped(material_id="a" * 32, mass_g=20_000_000, reason="cracks"), "a" * 32, at_ms=9_000)
    gone, there = row(journal, "a" * 32), row(journal, "b" * 32)
    assert (gone.state, gone.ended_at_ms, gone.mass_g) == ("scrapped", 9_000, 20_000_000)
    assert (there.state, there.ended_at_ms) == ("live", None)


def test_the_holder_is_the_author_in_whose_books_it_lives(engine: Engine, journal: Journal, clock: FixedClock) -> None:
    create(journal, born(A, "S1"))
    appliers = Appliers()
    projection.register(appliers)
    create(Journal("CLD", engine, clock, appliers), born(A, "S1"), at_ms=9_000)
    with write(engine) as conn:
        projection.mark_shipped(conn, "BRK", "f" * 32, 7_000, [A])
        holder = current_holder(conn, A)
    assert holder is not None
    assert holder.author == "CLD"


def life_of_a_yard(journal: Journal) -> None:
    create(journal, born(A, "S1", size=f.Size(1, 2, 3)), heat_number="1", chemistry_e6={"C": 1})
    create(journal, born(P, "S9"))
    say(journal, transform((f.Consumed(A, 4_000_000, whole=False),), born(B, "C1", mass_g=3_900_000)), B, A)
    say(journal, transform((f.Consumed(A, 16_000_000),), born(C, "C2", mass_g=15_000_000)), C, A)
    for grams in (3_950_000, 3_960_000):
        weighed = f.MaterialWeighed(material_id=B, mass=f.Mass(grams, "weighed"), operation_id="o" * 31 + "b")
        say(journal, weighed, B)
    say(journal, f.MaterialMoved(material_id=B, place="X"), B)
    say(journal, f.MaterialMoved(material_id=B, place="Y"), B)
    say(journal, f.MaterialIdentified(provisional_id=P, material_id="1" * 32, evidence="e"), P)
    say(journal, f.MaterialScrapped(material_id=C, mass_g=1, reason="r"), C)


@pytest.mark.parametrize("bulk", [1, 2, 3, 100])
def test_bulk_gives_the_same_rows_as_one_by_one(journal: Journal, tmp_path: Any, bulk: int) -> None:
    life_of_a_yard(journal)
    with read(journal.engine) as conn:
        bodies = conn.execute(select(fact_table.c.body).order_by(fact_table.c.fact_id)).scalars().all()
        ordered = sorted((decode(body) for body in bodies), key=lambda x: x.fact_id)
        seqs = conn.exec_driver_sql("SELECT fact_id FROM entry ORDER BY seq").scalars().all()
    by_id = {x.fact_id: x for x in ordered}
    facts = [by_id[fact_id] for fact_id in seqs]
    copy = open_engine(f"sqlite:///{tmp_path / 'copy.sqlite'}")
    metadata.create_all(copy)
    for start in range(0, len(facts), bulk):
        with write(copy) as conn:
            journal.appliers.apply(conn, facts[start : start + bulk])
    assert rows(copy) == rows(journal.engine)
    copy.dispose()
