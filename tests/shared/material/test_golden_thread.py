"""The golden thread of the example group: a sliver at metre 1,279.5 of slit C, back to the slab, in exact figures."""

from __future__ import annotations

import pytest

from shared.db.engine import read
from shared.errors import Refused
from shared.journal.fact import Draft, Occurred
from shared.journal.journal import Journal
from shared.material.facts import (
    Consumed,
    Edge,
    MarkPlaced,
    Mass,
    MaterialCreated,
    MaterialTransformed,
    NewAlias,
    NewMaterial,
    Size,
)
from shared.material.queries import find_by_number
from shared.material.trace import ancestor_places, projected_marks, refuse_cycle, trace

M, MM = 1_000_000, 1_000
SLAB, B6, PL, CM, G6 = (f"{n:032x}" for n in range(1, 6))
SLITS = {letter: f"{n:032x}" for n, letter in enumerate("ABCD", start=10)}


def piece(material_id: str, number: str, kind: str, mass_kg: int, size: Size) -> NewMaterial:
    return NewMaterial(
        material_id=material_id,
        kind=kind,
        aliases=(NewAlias("test", number),),
        mass=Mass(mass_kg * 1000, "weighed"),
        size=size,
    )


def step(
    journal: Journal, name: str, parent: str, charged_kg: int, children: list[NewMaterial], edges: list[Edge]
) -> None:
    payload = MaterialTransformed(
        operation_id=f"{len(name):031x}{children[0].material_id[-1]}",
        operation=name,
        unit="X",
        started_at_ms=1,
        ended_at_ms=2,
        parents=(Consumed(parent, charged_kg * 1000),),
        children=tuple(children),
        edges=tuple(edges),
    )
    with journal.work() as tx:
        tx.record(Draft(payload, (parent, *(c.material_id for c in children)), "test", Occurred(2, "test")))


def edge(
    parent: str,
    child: str,
    along: tuple[float, float, float],
    across: tuple[int, int, int, int],
    flips: tuple[int, int, int],
    mass_kg: int,
) -> Edge:
    start, stop, length = along
    left, right, child_left, child_right = across
    return Edge(
        parent_id=parent,
        child_id=child,
        parent_from_um=round(start * M),
        parent_to_um=round(stop * M),
        child_from_um=0,
        child_to_um=round(length * M),
        parent_left_um=left * MM,
        parent_right_um=right * MM,
        child_left_um=child_left * MM,
        child_right_um=child_right * MM,
        mass_g=mass_kg * 1000,
        flip_length=bool(flips[0]),
        flip_width=bool(flips[1]),
        flip_face=bool(flips[2]),
    )


@pytest.fixture
def thread(journal: Journal) -> Journal:
    slab = NewMaterial(
        material_id=SLAB,
        kind="slab",
        aliases=(NewAlias("ALD.slab", "261604-2-3"), NewAlias("BRK.slab", "BS6-08817")),
        mass=Mass(20_640_000, "weighed"),
        size=Size(220_000, 1_280_000, 9_310_000),
    )
    mould = MarkPlaced(mark_id="a" * 32, material_id=SLAB, kind="ML", from_um=4_100_000, to_um=4_600_000, value=14)
    with journal.work() as tx:
        tx.record(
            Draft(
                MaterialCreated(material=slab, origin="made", heat_number="261604", chemistry_e6={"C": 440}),
                (SLAB,),
                "test",
                Occurred(1, "test"),
            )
        )
        tx.record(Draft(mould, (SLAB,), "test", Occurred(1, "test")))
    step(
        journal,
        "roll",
        SLAB,
        20_640,
        [piece(B6, "B6-09962", "coil", 20_300, Size(2500, 1_270_000, 814_500_000))],
        [edge(SLAB, B6, (62 / 20_640 * 9.31, 9.31 - 71 / 20_640 * 9.31, 814.5), (0, 1280, 0, 1270), (0, 0, 0), 20_300)],
    )
    step(
        journal,
        "pickle",
        B6,
        20_290,
        [piece(PL, "C6-04407-P", "coil", 19_744, Size(2500, 1_250_000, 808_500_000))],
        [edge(B6, PL, (3, 811.5, 808.5), (10, 1260, 0, 1250), (1, 1, 0), 19_744)],
    )
    step(
        journal,
        "cold_roll",
        PL,
        19_744,
        [piece(CM, "C6-04407-R", "coil", 19_625, Size(760, 1_250_000, 2_631_500_000))],
        [edge(PL, CM, (2.44, 806.06, 2631.5), (0, 1250, 0, 1250), (1, 1, 0), 19_625)],
    )
    step(
        journal,
        "galvanise",
        CM,
        19_625,
        [piece(G6, "G6-03128", "coil", 20_429, Size(800, 1_250_000, 2_634_500_000))],
        [edge(CM, G6, (2627.5 - 2634.5 / 1.008, 2627.5, 2634.5), (0, 1250, 0, 1250), (1, 1, 0), 20_429)],
    )
    slits, edges = [], []
    for n, (letter, mass) in enumerate(zip("ABCD", (5024, 5019, 5023, 5020), strict=True)):
        child = SLITS[letter]
        slits.append(piece(child, f"G6-03128-{letter}", "slit", mass, Size(800, 308_000, 2_628_500_000)))
        edges.append(edge(G6, child, (3, 2631.5, 2628.5), (9 + 308 * n, 317 + 308 * n, 0, 308), (1, 0, 1), mass))
    step(journal, "slit", G6, 20_429, slits, edges)
    return journal


def test_sliver_lands_on_the_slab(thread: Journal) -> None:
    with read(thread.engine) as conn:
        places = {p.material_id: p for p in ancestor_places(conn, SLITS["C"], 1_279_500_000, 245_000)}
    assert places[G6].at_um == 1_352_000_000
    assert places[G6].left_um == 870_000
    slab = places[SLAB]
    assert slab.at_um == pytest.approx(4_550_000, abs=5_000)
    assert round(slab.left_um / 1000) == 393
    assert slab.turned
    assert slab.depth == 5


def test_mould_level_mark_comes_down_to_the_slit(thread: Journal) -> None:
    expected = {
        B6: (358.6, 402.6),
        PL: (408.9, 452.9),
        CM: (1156.3, 1300.5),
        G6: (1337.7, 1483.0),
        SLITS["C"]: (1148.5, 1293.9),
    }
    with read(thread.engine) as conn:
        for material_id, (start, stop) in expected.items():
            found = projected_marks(conn, material_id)
            assert [m.origin_id for m in found] == [SLAB]
            assert found[0].from_um / M == pytest.approx(start, abs=0.25)
            assert found[0].to_um / M == pytest.approx(stop, abs=0.25)


def test_trace_runs_both_ways_and_numbers_find_the_piece(thread: Journal) -> None:
    with read(thread.engine) as conn:
        back = trace(conn, SLITS["D"], "backward")
        ahead = trace(conn, SLAB, "forward")
        slab = find_by_number(conn, "BS6-08817")
        slit = find_by_number(conn, "G6-03128-D")[0]
    assert (back.depth, len(back.edges)) == (5, 5)
    assert {r.material_id for r in back.rows} == {SLAB, B6, PL, CM, G6, SLITS["D"]}
    assert len(ahead.edges) == 8
    assert [r.material_id for r in slab] == [SLAB]
    assert (slit.heat_number, slit.chemistry, slit.state) == ("261604", '{"C": 440}', "live")


def test_a_trace_can_be_cut_short(thread: Journal) -> None:
    with read(thread.engine) as conn:
        assert {e.parent_id for e in trace(conn, SLITS["A"], "backward", depth=2).edges} == {G6, CM}


def test_nothing_is_made_of_itself(thread: Journal) -> None:
    with read(thread.engine) as conn:
        refuse_cycle(conn, [G6], ["f" * 32])
        with pytest.raises(Refused, match="its own ancestor"):
            refuse_cycle(conn, [SLITS["A"]], [SLAB])
