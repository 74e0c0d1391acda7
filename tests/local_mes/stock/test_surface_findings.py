"""Defects of a surface inspection on pieces: placed once, shown on the strip, carried to what was made, found by recall."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from production_bench import Bench

from local_mes.quality.surface import COLUMNS, KINDS, Target, find_targets, load, place, read_defects
from shared.db.engine import read
from shared.errors import BadInput
from shared.material.tables import mark
from shared.recall.queries import Asked, first_page

REAL = Path(__file__).parents[4] / "shared" / "data" / "steel-plates-faults" / "SteelPlatesFaults_Clean.csv"
CLASSES = list(KINDS)


def line(x: tuple[int, int], y: tuple[int, int], kind: str, wide: int = 1000) -> str:
    return ",".join(map(str, (*x, *y, wide, 50, *(int(name == kind) for name in CLASSES))))


def file_of(*lines: str) -> str:
    return "\n".join([",".join(COLUMNS), *lines])


A = line((100, 200), (0, 50), "Pastry_Fault")
B = line((900, 1000), (4_000, 4_010), "Z_Scratch_Fault")
C = line((0, 10), (9_989, 9_999), "Other_Faults")


def test_a_campaign_is_laid_over_pieces_one_after_the_other_in_their_own_measure() -> None:
    targets = [Target("a", "A", 3_000_000, 1_000_000), Target("b", "B", 7_000_000, 2_000_000)]
    found = [
        (t.number, m.kind, m.from_um, m.to_um, m.left_um, m.right_um)
        for t, m in place(read_defects(file_of(A, B, C)), targets)
    ]
    assert found == [
        ("A", "pastry", 0, 50_000, 100_000, 200_000),
        ("B", "z_scratch", 1_000_000, 1_020_000, 1_800_000, 2_000_000),
        ("B", "other_defect", 6_989_000, 7_000_000, 0, 20_000),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "X_Minimum\n1",
        file_of("1,2,3"),
        file_of(line((5, 4), (0, 1), "Bumps_Fault")),
        file_of(line((1, 2), (0, 1), "")),
    ],
)
def test_what_is_no_box_is_refused_before_anything_is_recorded(text: str) -> None:
    with pytest.raises(BadInput):
        read_defects(text)


def test_findings_of_a_slab_are_on_the_strip_of_its_coil_and_in_recall_by_position(
    client: FlaskClient, yard: Bench, token: Callable[[str], dict[str, str]], sign_in: Callable[[str], str]
) -> None:
    yard.take_in("BS6-1", "slab", 20_640, (220_000, 1_280_000, 10_000_000))
    with read(yard.plant.node.engine) as conn:
        targets = find_targets(conn, yard.plant, "slab", 20)
    assert load(yard.plant, "p", file_of(A, B, C), targets) == 3
    assert load(yard.plant, "p", file_of(A, B, C), targets) == 0
    booked = {
        "command_id": "b", "unit": "FM", "piece": "BS6-1", "good_mass_g": 20_500_000, "number": "B6-77777",
        "length_um": 800_000_000,
    }  # fmt: skip
    assert client.post("/api/v1/operations/manual", json=booked, headers=token("operator")).status_code == 201
    sign_in("quality")
    page = client.get("/trace/B6-77777").text
    strip = page.split('class="strip"')[1].split("</svg>")[0]
    assert strip.count('class="defect hit-able"') == 6  # three on the coil, the same three on the slab
    assert "z scratch 50 pixels" in strip
    with read(yard.plant.node.engine) as conn:
        scratch = conn.execute(mark.select().where(mark.c.kind == "z_scratch")).one()
        found = first_page(conn, Asked(finding=scratch.mark_id))
        coil = next(piece for piece in found.pieces if piece.number == "B6-77777")
        (part,) = coil.part
        assert part[0] == pytest.approx(scratch.from_um * 80, rel=0.005)
        by_place = Asked(numbers=("BS6-1",), from_um=scratch.from_um, to_um=scratch.to_um, left_um=0, right_um=10)
        assert {piece.number for piece in first_page(conn, by_place).pieces} == {"BS6-1", "B6-77777"}


absent = pytest.mark.skipif(
    not REAL.exists(), reason=f"the public data set is not in {REAL.parent.name} beside the project"
)
FOUR = [Target(f"{n}" * 32, f"B6-{n}", 800_000_000, 1_270_000) for n in range(4)]


@absent
def test_the_real_defects_all_find_their_place() -> None:
    text = REAL.read_text()
    placed = [(target, found) for target, found in place(read_defects(text), FOUR)]
    expected = Counter(KINDS[name] for row in csv.DictReader(text.splitlines()) for name in KINDS if float(row[name]))
    assert (len(placed), Counter(found.kind for _, found in placed)) == (1_941, expected)
    assert {target.number for target, _ in placed} == {"B6-0", "B6-1", "B6-2", "B6-3"}
    assert all(
        0 <= m.from_um <= m.to_um <= 800_000_000 and 0 <= m.left_um <= m.right_um <= 1_270_000 for _, m in placed
    )


@absent
@pytest.mark.parametrize("lines", [100, pytest.param(1_941, marks=pytest.mark.slow)])
def test_the_real_defects_are_recorded_once(yard: Bench, lines: int) -> None:
    text = "\n".join(REAL.read_text().splitlines()[: lines + 1])
    yard.take_in("B6-1", "coil", 20_000, (2_500, 1_270_000, 800_000_000))
    with read(yard.plant.node.engine) as conn:
        targets = find_targets(conn, yard.plant, "coil", 20)
    assert load(yard.plant, "p", text, targets) == lines
    assert len(yard.rows(mark)) == lines
    assert load(yard.plant, "p", text, targets) == 0
