"""Mixed heats by interval, found again at a place of a slab and on what was made of it, through cuts and turns."""

from __future__ import annotations

from fractions import Fraction

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from shared.material.facts import Mixture
from shared.material.mixture import WHOLE_PPM, Stretch, is_whole, shares_at, shares_over, steel_at, stretches_of
from shared.material.walk import Step

M = 1_000_000
TOLD = Mixture(
    child_id="slab", heats=("A", "B"), bounds_um=(100 * M, 103 * M, 106 * M, 110 * M),
    shares_ppm=((WHOLE_PPM, 0), (720_000, 280_000), (100_000, 900_000)),
)  # fmt: skip


def step(parent: str, child: str, of: tuple[int, int], to: tuple[int, int], flip: bool = False, ppm: int = M) -> Step:
    head = ("ALD", parent + child, 0, "transform", parent, child)
    return Step(*head, of[0] * M, of[1] * M, to[0] * M, to[1] * M, 0, 0, 0, 0, 1, ppm, flip, flip, False, 1)


HEATS = [step("A", "slab", (100, 110), (0, 10), ppm=556_000), step("B", "slab", (100, 110), (0, 10), ppm=444_000)]


def test_a_place_has_the_heats_of_its_interval() -> None:
    assert shares_at(TOLD, 101 * M) == {"A": WHOLE_PPM}
    assert shares_at(TOLD, 104 * M) == {"A": 720_000, "B": 280_000}
    assert shares_at(TOLD, 0) == {"A": WHOLE_PPM}
    assert shares_at(TOLD, 999 * M) == {"A": 100_000, "B": 900_000}
    at = [(held.parent_id, ppm) for held, ppm in steel_at(HEATS, TOLD, Fraction(4 * M), None)]
    assert at == [("A", 720_000), ("B", 280_000)]
    assert [held.parent_id for held, _ in steel_at(HEATS, TOLD, Fraction(M), None)] == ["A"]


def test_a_mixture_that_cannot_be_read_is_none() -> None:
    whole = msgspec.structs.replace
    assert is_whole(TOLD)
    assert not is_whole(whole(TOLD, bounds_um=TOLD.bounds_um[:-1]))
    assert not is_whole(whole(TOLD, bounds_um=(3, 2, 1, 0)))
    assert not is_whole(whole(TOLD, heats=("A",)))
    assert not is_whole(whole(TOLD, shares_ppm=((2_000_000, -1_000_000), (0, 0), (1, 1))))
    assert not is_whole(whole(TOLD, shares_ppm=(), bounds_um=(1,)))
    other = [step("C", "slab", (100, 110), (0, 10), ppm=M)]  # its heat turned out to be another
    assert [held.parent_id for held, _ in steel_at(other, TOLD, Fraction(M), None)] == ["C"]


def test_without_intervals_the_whole_slabs_shares_count_and_a_weld_is_no_mixture() -> None:
    assert [ppm for _, ppm in steel_at(HEATS, None, Fraction(M), None)] == [556_000, 444_000]
    welded = [step("x", "coil", (0, 5), (0, 5), ppm=500_000), step("y", "coil", (0, 5), (5, 10), ppm=500_000)]
    assert [(held.parent_id, ppm) for held, ppm in steel_at(welded, None, Fraction(2 * M), None)] == [("x", WHOLE_PPM)]


def test_the_slab_itself_and_a_coil_that_was_cropped_rolled_and_turned() -> None:
    a, mixed, b = {"A": WHOLE_PPM}, {"A": 720_000, "B": 280_000}, {"A": 100_000, "B": 900_000}
    on_slab = [Stretch(0, 3 * M, a), Stretch(3 * M, 6 * M, mixed), Stretch(6 * M, 10 * M, b)]
    assert stretches_of("slab", HEATS, {"slab": TOLD}) == on_slab
    cropped = step("slab", "bar", (2, 8), (0, 6))
    rolled = step("bar", "coil", (0, 6), (0, 600), flip=True)
    found = stretches_of("coil", [rolled, cropped, *HEATS], {"slab": TOLD})
    assert found == [
        Stretch(0, 200 * M, b), Stretch(200 * M, 500 * M, mixed), Stretch(500 * M, 600 * M, a),
    ]  # fmt: skip


def test_of_a_cut_slab_each_half_has_its_own_steel() -> None:
    head = stretches_of("h", [step("slab", "h", (0, 3), (0, 3)), *HEATS], {"slab": TOLD})
    assert head == [Stretch(0, 3 * M, {"A": WHOLE_PPM})]
    assert stretches_of("other", [step("coil", "other", (0, 3), (0, 3))], {}) == []


BOUNDS = st.lists(st.integers(0, 10**9), min_size=2, max_size=20, unique=True).map(sorted)


@given(BOUNDS, st.data())
def test_a_mean_over_any_part_adds_up_and_lies_between_its_intervals(bounds: list[int], data: st.DataObject) -> None:
    parts = st.integers(0, WHOLE_PPM).map(lambda ppm: (ppm, WHOLE_PPM - ppm))
    rows = data.draw(st.lists(parts, min_size=len(bounds) - 1, max_size=len(bounds) - 1))
    told = Mixture(child_id="s", heats=("A", "B"), bounds_um=tuple(bounds), shares_ppm=tuple(rows))
    a, b = sorted(data.draw(st.tuples(st.integers(-10, 10**9), st.integers(0, 10**9))))
    found = shares_over(told, [(Fraction(a), Fraction(b))])
    assert sum(found.values()) == WHOLE_PPM
    assert min(row[0] for row in rows) - 1 <= found.get("A", 0) <= max(row[0] for row in rows) + 1
    assert sum(shares_at(told, a).values()) == WHOLE_PPM
