"""The order in which chemists read an analysis."""

from __future__ import annotations

from collections.abc import Collection

ELEMENTS = ("C", "Si", "Mn", "P", "S", "Al", "Cu", "Cr", "Ni", "Mo", "Nb", "V", "Ti", "N", "Sn", "B", "Ca")


def in_order(found: Collection[str]) -> list[str]:
    """Elements in that order, others behind them by name."""
    return [e for e in ELEMENTS if e in found] + sorted(set(found).difference(ELEMENTS))
