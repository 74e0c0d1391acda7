"""A defect on the last piece is where it truly was on the first one, over six passes as a plant records them: crops, slits,
welds, rolling and turns, with every length and cut told in whole millimetres. At most 0.5 % of the length is lost."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.material.domain import check_flips, to_child, to_parent
from shared.material.facts import Edge

MM = 1_000
LEGAL_FLIPS = [(False, False, False), (True, True, False), (True, False, True), (False, True, True)]
KINDS = ("roll", "crop", "slit", "weld")


@dataclass
class Strip:
    """A strip as it truly is (length, width in um, exact), the place of the defect, and the edges as they were told."""

    length: Fraction
    width: Fraction
    at: Fraction
    left: Fraction
    edges: list[Edge] = field(default_factory=list)

    def told(self) -> tuple[int, int]:
        """Length and width as the plant says them."""
        return to_mm(self.length), to_mm(self.width)


def to_mm(value: Fraction) -> int:
    """Rounded to whole millimetres, in um."""
    return round(value / MM) * MM


def go_on(strip: Strip, kind: str, a: Fraction, b: Fraction, flips: tuple[bool, bool, bool]) -> None:
    """One pass: the part from a to b (shares of the room around the defect) goes on, `kind` says what becomes of it."""
    low, high = Fraction(0), strip.length
    left, right = Fraction(0), strip.width
    if kind == "crop":
        low, high = strip.at * a / 10, strip.at + (strip.length - strip.at) * (1 - b / 10)  # ends, at most a tenth
    if kind == "slit":
        left, right = strip.left * a / 2, strip.left + (strip.width - strip.left) * (1 - b / 2)
    drawn = 1 + a * 8 if kind == "roll" else Fraction(1)
    before = strip.length * b if kind == "weld" else Fraction(0)  # another coil is its head
    length, width = (high - low) * drawn, right - left
    at, across = (strip.at - low) * drawn, strip.left - left
    span = (to_mm(before), to_mm(before) + to_mm(length))
    edge = Edge(
        parent_id="p",
        child_id="c",
        parent_from_um=to_mm(low),
        parent_to_um=to_mm(high),
        parent_left_um=to_mm(left),
        parent_right_um=to_mm(right),
        child_from_um=span[0],
        child_to_um=span[1],
        child_right_um=to_mm(width),
        mass_g=1,
        flip_length=flips[0],
        flip_width=flips[1],
        flip_face=flips[2],
    )
    strip.edges.append(edge)
    strip.at = before + (length - at if flips[0] else at)
    strip.left = width - across if flips[1] else across
    strip.length, strip.width = before + length, width


SHARE = st.integers(0, 500)
"""In thousandths."""
PASS = st.tuples(st.sampled_from(KINDS), SHARE, SHARE, st.sampled_from(LEGAL_FLIPS))
PLACE = st.integers(50, 950)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=60)
@given(st.lists(PASS, min_size=6, max_size=6), PLACE, PLACE)
def test_a_place_comes_back_within_half_a_percent(
    route: list[tuple[str, int, int, tuple[bool, bool, bool]]], along_ppt: int, across_ppt: int
) -> None:
    at, left = Fraction(along_ppt, 1_000), Fraction(across_ppt, 1_000)
    length, width = Fraction(9_300 * MM), Fraction(1_280 * MM)
    strip = Strip(length, width, at * length, left * width)
    for kind, a, b, flips in route:
        check_flips(*flips)
        go_on(strip, kind, Fraction(a, 1_000), Fraction(b, 1_000), flips)
    back, side = strip.at, strip.left
    for edge in reversed(strip.edges):
        up = to_parent(edge)
        back, side = up.along(back), up.across(side)
    assert abs(back - at * length) <= length / 200
    assert abs(side - left * width) <= width / 200
    there, across = at * length, left * width
    for edge in strip.edges:
        down = to_child(edge)
        there, across = down.along(there), down.across(across)
    assert abs(there - strip.at) <= strip.length / 200
    assert abs(across - strip.left) <= width / 200
