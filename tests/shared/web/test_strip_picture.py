"""The strip to scale as pure geometry: rectangles inside their bar, nothing vanishes, ticks are round."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.web.pieces.strip import BAR_W, BAR_X, LEAST_W, TALLEST, Drawn, Part, Spot, draw, tick_step, ticks

COIL = Drawn("c" * 32, "G6-03128", 2_634_500_000, 1_250_000)


def test_a_part_lies_to_scale_along_and_across() -> None:
    slit = Part("child", 3_000_000, 2_631_500_000, 625_000, 933_000)
    rect = draw([Drawn(COIL.material_id, COIL.number, COIL.length_um, COIL.width_um, [slit])]).bars[0].rects[0]
    assert rect.x == pytest.approx(BAR_X + BAR_W * 3 / 2634.5)
    assert rect.w == pytest.approx(BAR_W * 2628.5 / 2634.5)
    assert rect.h == pytest.approx(TALLEST * 308 / 1250)


def test_a_weld_of_no_length_can_still_be_seen() -> None:
    weld = Part("mark", 1_000_000_000, 1_000_000_000)
    bar = draw([Drawn(COIL.material_id, COIL.number, COIL.length_um, COIL.width_um, [weld])]).bars[0]
    assert bar.rects[0].w == LEAST_W
    assert bar.rects[0].h == bar.h


def test_widths_share_one_scale_and_heats_are_left_to_the_table() -> None:
    slit = Drawn("d" * 32, "G6-03128-C", 2_628_500_000, 308_000)
    heat = Drawn("e" * 32, "261604", 0, 0)
    picture = draw([slit, COIL, heat])
    assert [bar.number for bar in picture.bars] == ["G6-03128-C", "G6-03128"]
    assert picture.bars[0].h / picture.bars[1].h == pytest.approx(308 / 1250)
    assert picture.bars[1].y > picture.bars[0].bottom
    assert picture.height > picture.bars[1].bottom


def test_a_place_is_a_point_with_an_edge_distance_and_a_line_without() -> None:
    spots = [Spot(1_317_250_000, 625_000), Spot(0), Spot(9_999_999_999)]
    bar = draw([Drawn(COIL.material_id, COIL.number, COIL.length_um, COIL.width_um, (), spots)]).bars[0]
    point, line = bar.spots
    assert point == pytest.approx((BAR_X + BAR_W / 2, bar.y + bar.h / 2, bar.y + bar.h / 2))
    assert line == pytest.approx((BAR_X, bar.y, bar.bottom))


@given(st.integers(1, 50_000_000_000))
def test_ticks_are_few_and_end_at_the_true_length(length_um: int) -> None:
    marks = ticks(length_um)
    assert 1 <= len(marks) <= 12
    assert marks[-1][0] == BAR_X + BAR_W
    assert all(BAR_X <= x <= BAR_X + BAR_W for x, _ in marks)


@pytest.mark.parametrize(("metres", "step"), [(9.31, 1), (814.5, 100), (2634.5, 500), (35.0, 5), (0.4, 0.1)])
def test_steps_are_round(metres: float, step: float) -> None:
    assert tick_step(metres) == pytest.approx(step)


@given(
    st.lists(
        st.tuples(
            st.integers(0, 10_000_000), st.integers(0, 10_000_000), st.integers(0, 1_300_000), st.integers(0, 1_300_000)
        ),
        max_size=5,
    ),
    st.integers(1, 10_000_000),
    st.integers(0, 1_300_000),
)
def test_nothing_is_drawn_outside_its_bar(parts: list[tuple[int, int, int, int]], length: int, width: int) -> None:
    drawn = [Part("mark", min(a, b), max(a, b), min(c, d, width), min(max(c, d), width)) for a, b, c, d in parts]
    bar = draw([Drawn("a" * 32, "1", length, width, drawn)]).bars[0]
    for rect in bar.rects:
        assert rect.x >= BAR_X - LEAST_W
        assert rect.x + rect.w <= BAR_X + BAR_W + LEAST_W
        assert rect.y >= bar.y - 0.01
        assert rect.y + rect.h <= bar.bottom + LEAST_W
