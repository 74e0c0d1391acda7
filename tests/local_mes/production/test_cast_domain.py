"""The caster's arithmetic reproduces the table of the cast plan and keeps its invariants."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local_mes.production.cast_domain import (
    PPM,
    ColdSize,
    LadleMark,
    born_interval,
    cold_um,
    length_differs,
    marks_rise,
    mean_shares,
    mixed_length_um,
    shares_ppm,
)

G_PER_M = 2 * 220 * 1280 * 7850 // 1000
"""Two strands of 220 x 1,280 mm: 4,421 kg a metre."""
HEATS_4417 = ("161842", "261838", "161843", "261839", "161844", "261840")


def sequence(heats: tuple[str, ...], grades: str | None = None, change_t: int = 12) -> list[LadleMark]:
    """Ladles of 126 t a heat, the tundish at 28 t, drained to change_t where the grade changes."""
    found = []
    for j, heat in enumerate(heats):
        grade = grades[j] if grades else "L"
        tundish = 0 if j == 0 else change_t if grades and grades[j] != grades[j - 1] else 28
        mark = 0 if j == 0 else (126 * j - tundish) * 1_000_000 * 1_000_000 // G_PER_M
        found.append(LadleMark(heat, grade, mark, tundish * 1_000_000))
    return found


def interval(k: int) -> tuple[int, int]:
    head = 600_000 + (k - 1) * 9_308_000
    return head, head + 9_300_000


# scenario, section 6: cut in strand, shares in per cent
TABLE = [
    (3, {"161842": 75, "261838": 25}),
    (4, {"261838": 81, "161842": 19}),
    (6, {"261838": 78, "161843": 21}),
    (7, {"161843": 79, "261838": 21}),
    (8, {"161843": 95, "261838": 5}),
    (9, {"161843": 81, "261839": 18}),
    (10, {"261839": 77, "161843": 23}),
]


@pytest.mark.parametrize(("k", "told"), TABLE)
def test_shares_of_the_cast_plan(k: int, told: dict[str, int]) -> None:
    shares = shares_ppm(sequence(HEATS_4417), interval(k), G_PER_M)
    assert {heat: round(shares[heat] / 10_000) for heat in told} == told
    assert sum(shares.values()) == PPM
    assert all(part >= 10_000 for part in shares.values())


def test_ten_slabs_have_a_tenth_or_more_of_the_held_heat() -> None:
    ladles = sequence(HEATS_4417)
    per_strand = [k for k in range(1, 19) if shares_ppm(ladles, interval(k), G_PER_M).get("161843", 0) >= 100_000]
    assert per_strand == [6, 7, 8, 9, 10]


def test_a_slab_before_the_second_ladle_is_one_heat() -> None:
    assert shares_ppm(sequence(HEATS_4417), interval(1), G_PER_M) == {"161842": PPM}


def test_a_grade_change_makes_one_transition_slab_a_strand() -> None:
    ladles = sequence(("161845", "261841", "161846", "261842", "161847", "261843"), "MMMMHH")
    mixed = {k: mixed_length_um(ladles, interval(k), G_PER_M, "M" if k <= 12 else "H") for k in range(1, 19)}
    assert [k for k, um in mixed.items() if um > 1_000_000] == [13]
    assert mixed[12] < 1_000_000
    assert sum(um for k, um in mixed.items() if k in (12, 13)) == pytest.approx(
        2.714e6 * 2.1972,
        rel=0.01,  # l (ln 0.9 - ln 0.1)
    )
    shares = shares_ppm(ladles, interval(13), G_PER_M)
    assert shares["161847"] / PPM == pytest.approx(0.80, abs=0.03)
    assert set(shares) == {"161847", "261842"}


def test_the_same_grade_is_never_mixed() -> None:
    assert mixed_length_um(sequence(HEATS_4417), interval(6), G_PER_M, "L") == 0


@given(st.integers(0, 150_000_000), st.integers(100_000, 14_000_000), st.integers(1, 6))
def test_shares_always_add_up(head: int, length: int, heats: int) -> None:
    ladles = sequence(HEATS_4417[:heats])
    mean = mean_shares(ladles, (head, head + length), G_PER_M)
    assert sum(mean.values()) == pytest.approx(1.0, abs=1e-9)
    assert all(-1e-12 <= part <= 1 + 1e-12 for part in mean.values())
    assert sum(shares_ppm(ladles, (head, head + length), G_PER_M).values()) == PPM


@given(st.integers(1_000, 13_000))
def test_cold_length_comes_back_from_the_hot_one(cold_mm: int) -> None:
    assert cold_um(round(cold_mm * 1.013), 13_000) == cold_mm * 1000


def test_a_cold_slab_has_its_theoretical_mass() -> None:
    size = ColdSize(cold_um(223, 13_000), cold_um(1297, 13_000), cold_um(9421, 13_000))
    assert size == ColdSize(220_000, 1_280_000, 9_300_000)
    assert round(size.mass_g / 1000) == 20_558


@pytest.mark.parametrize(("tail", "kerf", "end"), [(9_300_000, 8_000, 9_300_000), (9_308_000, 8_000, 9_300_000)])
def test_the_kerf_is_no_part_of_the_slab(tail: int, kerf: int, end: int) -> None:
    assert born_interval(0, tail, 9_300_000, kerf) == (0, end)


def test_a_length_that_disagrees_with_the_strand_is_seen() -> None:
    assert length_differs((0, 9_300_000), 9_310_000, 10_000) == 0
    assert length_differs((0, 9_300_000), 9_500_000, 10_000) == 200_000
    assert length_differs((0, 9_300_000), 9_000_000, 10_000) == -300_000


def test_marks_that_run_backwards_are_seen() -> None:
    assert marks_rise([0, 5, 5, 9])
    assert not marks_rise([0, 9, 5])
