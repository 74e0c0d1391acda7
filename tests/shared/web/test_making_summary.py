"""A figure of a piece's making has its unit beside it."""

from __future__ import annotations

import pytest

from shared.web.pieces.summary import as_read


@pytest.mark.parametrize(
    ("name", "value", "read"),
    [
        ("ft_avg_mc", 874_000, ("Finishing temperature mean", "874 °C")),
        ("ct_window_ppm", 973_000, ("Coiling temperature within its window", "97.3 %")),
        ("bar_thickness_um", 32_400, ("Bar thickness", "32.4 mm")),
        ("furnace_min", 170, ("Furnace", "170 min")),
        ("passes", 7, ("Passes", "7")),
        ("heat_no", 4711, ("Heat no", "4,711")),
    ],
)
def test_a_name_ends_with_its_unit(name: str, value: int, read: tuple[str, str]) -> None:
    assert as_read(name, value) == read
