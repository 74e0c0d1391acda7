"""Places through passes: maps that compose and invert exactly, flips that add up, partitions, balances, cycles."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import BadInput, Refused
from shared.material.domain import (
    Balance,
    EdgeMap,
    affine,
    check_acyclic,
    check_flips,
    check_inside,
    check_partition,
    clip,
    holds_place,
    part_of,
    rolled_length_um,
    to_child,
    to_parent,
)

SIZE = st.integers(min_value=1, max_value=5_000_000_000)
LEGAL_FLIPS = [(False, False, False), (True, True, False), (True, False, True), (False, True, True)]
ODD_FLIPS = [(True, False, False), (False, True, False), (False, False, True), (True, True, True)]


@dataclass(frozen=True)
class Pass:
    parent_from_um: int
    parent_to_um: int
    child_from_um: int
    child_to_um: int
    parent_left_um: int
    parent_right_um: int
    child_left_um: int
    child_right_um: int
    flip_length: bool = False
    flip_width: bool = False
    flip_face: bool = False


@st.composite
def passes(draw: st.DrawFn) -> Pass:
    starts = [draw(st.integers(0, 1_000_000)) for _ in range(4)]
    spans = [draw(SIZE) for _ in range(4)]
    flips = draw(st.sampled_from(LEGAL_FLIPS))
    edges = [edge for start, span in zip(starts, spans, strict=True) for edge in (start, start + span)]
    return Pass(*edges, *flips)


@given(st.lists(passes(), min_size=6, max_size=6), SIZE, SIZE)
def test_six_passes_back_and_forth_are_exact(route: list[Pass], at: int, left: int) -> None:
    down = EdgeMap()
    for step in route:
        down = down.then(to_child(step))
    up = down.inverse()
    assert up.along(down.along(at)) == at
    assert up.across(down.across(left)) == left
    one_by_one = Fraction(at)
    for step in route:
        one_by_one = to_child(step).along(one_by_one)
    assert down.along(at) == one_by_one


@given(st.lists(passes(), min_size=1, max_size=6))
def test_flips_add_up_by_xor_and_stay_physical(route: list[Pass]) -> None:
    down = EdgeMap()
    for step in route:
        down = down.then(to_child(step))
    expected = tuple(
        bool(sum(getattr(step, name) for step in route) % 2) for name in ("flip_length", "flip_width", "flip_face")
    )
    assert down.flips == expected
    check_flips(*down.flips)


@given(passes())
def test_ends_map_onto_ends(step: Pass) -> None:
    down = to_child(step)
    head, tail = down.along(step.parent_from_um), down.along(step.parent_to_um)
    assert {head, tail} == {step.child_from_um, step.child_to_um}
    assert (head > tail) == step.flip_length
    assert to_parent(step).along(head) == step.parent_from_um


def test_an_interval_that_was_not_measured_passes_places_through() -> None:
    assert affine((0, 0), (0, 100), True)(42) == 42
    assert affine((0, 100), (7, 7), False)(42) == 42


@pytest.mark.parametrize("flips", ODD_FLIPS)
def test_a_mirror_is_refused(flips: tuple[bool, bool, bool]) -> None:
    with pytest.raises(BadInput, match="mirror"):
        check_flips(*flips)


@pytest.mark.parametrize(
    ("parts", "whole", "fits"),
    [
        ([(9, 317), (317, 625), (625, 933), (933, 1241)], 1250, True),  # slits with trim at both edges
        ([(317, 625), (9, 317)], 1250, True),  # the order of telling does not matter
        ([(0, 600), (600, 1250)], 1250, True),
        ([(0, 600), (599, 1250)], 1250, False),  # one on the other
        ([(0, 600), (600, 1251)], 1250, False),  # beyond the edge
        ([(-1, 600)], 1250, False),
        ([(600, 500)], 1250, False),  # reversed
    ],
)
def test_parts_must_lie_side_by_side(parts: list[tuple[int, int]], whole: int, fits: bool) -> None:
    if fits:
        check_partition(parts, whole)
    else:
        with pytest.raises(BadInput):
            check_partition(parts, whole)


def test_a_tolerance_forgives_a_gauge() -> None:
    check_partition([(0, 601), (600, 1251)], 1250, tolerance_um=1)


@pytest.mark.parametrize(("interval", "whole"), [((0, 10), 9), ((-1, 5), 9), ((5, 5), 9), ((6, 5), 0)])
def test_an_interval_is_part_of_its_piece(interval: tuple[int, int], whole: int) -> None:
    with pytest.raises(BadInput):
        check_inside(interval, whole, "The cut")


def test_an_interval_of_a_piece_of_unknown_size_is_taken() -> None:
    check_inside((0, 10), 0, "The cut")
    check_inside((0, 10), 10, "The cut")


def test_the_balance_of_the_golden_thread_closes() -> None:
    slit = Balance(charged_g=20_429_000, produced_g=20_086_000, lost_g=341_000)
    zinc = Balance(charged_g=19_625_000, produced_g=20_429_000, lost_g=138_000, added_g=942_000)
    assert (slit.unexplained_g, zinc.unexplained_g) == (2_000, 0)
    assert slit.closes(98)
    assert not slit.closes(97)
    assert not Balance(100_000, 100_300, 0).closes(2_000)
    assert Balance(100_000, 100_200, 0).closes(2_000)


@pytest.mark.parametrize(
    ("parents", "children", "ancestors"),
    [(["a"], ["a"], []), (["a"], ["b"], ["b"]), (["a", "c"], ["d", "c"], [])],
)
def test_nothing_becomes_its_own_ancestor(parents: list[str], children: list[str], ancestors: list[str]) -> None:
    with pytest.raises(Refused, match="ancestor"):
        check_acyclic(parents, children, ancestors)


def test_a_line_of_descent_is_no_cycle() -> None:
    check_acyclic(["b"], ["c"], ["a"])


def test_volume_is_kept_in_rolling() -> None:
    assert rolled_length_um(9_250_000, (220_000, 1_280_000), (2_500, 1_270_000)) == 820_409_449
    assert rolled_length_um(808_500_000, (2_500, 1_250_000), (760, 1_250_000)) == 2_659_539_474


@pytest.mark.parametrize(
    ("value", "ppm", "part"), [(20_640_000, 7_500, 154_800), (3, 500_000, 2), (1, 499_999, 0), (0, 7, 0)]
)
def test_a_share_is_rounded_to_the_nearest(value: int, ppm: int, part: int) -> None:
    assert part_of(value, ppm) == part


def test_a_place_belongs_to_the_part_that_holds_it() -> None:
    slit = Pass(0, 100, 0, 50, 9, 317, 0, 308)
    assert holds_place(slit, 50, 308)
    assert holds_place(slit, 0, None)
    assert not holds_place(slit, 51, 0)
    assert not holds_place(slit, 50, 309)
    unmeasured = Pass(0, 0, 0, 0, 0, 0, 0, 0)
    assert holds_place(unmeasured, 10**9, 10**6)


def test_a_mark_is_cut_to_the_part_that_went_on() -> None:
    mark = (Fraction(5), Fraction(15))
    assert clip(mark, (10, 100)) == (10, 15)
    assert clip(mark, (0, 0)) == mark
    assert clip(mark, (16, 100)) is None
    assert clip(mark, (15, 100)) == (15, 15)
