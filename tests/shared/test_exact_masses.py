"""Masses in facts are whole numbers all the way: no float in between."""

from __future__ import annotations

from shared.units import theoretical_mass_g


def test_a_theoretical_mass_is_exact_beyond_what_a_float_can_hold() -> None:
    assert theoretical_mass_g(10**9, 10**9, 10**9 + 1) == 7_850_000_000_000_000 + 7_850_000
