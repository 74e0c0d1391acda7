"""Where a processor's products lay: what is told is enough, and measuring leaves some room."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from local_mes.outside.domain import Area, Said
from local_mes.outside.finding import Unclear
from local_mes.outside.placing import read_areas

M, MM = 1_000_000, 1_000


def coil(length_um: int = 800 * M, width_um: int = 1_200 * MM) -> Any:
    return SimpleNamespace(number="C6-1", length_um=length_um, width_um=width_um)


def test_slits_told_across_alone_are_of_the_whole_length() -> None:
    slits = [Said(piece="a", right_um=600 * MM), Said(piece="b", left_um=598 * MM)]  # two mm of rounding in common
    assert read_areas([coil()], slits) == [Area(0, 800 * M, 0, 600 * MM), Area(0, 800 * M, 598 * MM, 1_200 * MM)]


def test_a_length_that_nobody_measured_here_is_taken_as_told() -> None:
    assert read_areas([coil(length_um=0)], [Said(piece="a", to_um=400 * M)]) == [Area(0, 400 * M, 0, 1_200 * MM)]
    with pytest.raises(Unclear, match="said to be of"):
        read_areas([coil(length_um=0)], [Said(piece="a", right_um=600 * MM)])


def test_two_products_of_one_place_wait_for_a_person() -> None:
    with pytest.raises(Unclear, match="the same place of C6-1"):
        read_areas([coil()], [Said(piece="a", right_um=600 * MM), Said(piece="b", left_um=500 * MM)])


def test_short_sheets_of_a_long_coil_are_not_all_of_one_place() -> None:
    sheets = [Said(piece=f"s{n}", from_um=n * 4 * M, to_um=(n + 1) * 4 * M) for n in range(3)]
    assert len(read_areas([coil()], sheets)) == 3
    with pytest.raises(Unclear, match="the same place of C6-1"):
        read_areas([coil()], [sheets[0], Said(piece="again", to_um=4 * M)])
