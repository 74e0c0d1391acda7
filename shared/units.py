"""Integers inside, the field's units outside. Conversions for display and for input at the edge."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

G_PER_KG = 1_000
G_PER_T = 1_000_000
UM_PER_MM = 1_000
UM_PER_M = 1_000_000
STEEL_KG_PER_M3 = 7_850
"""Cold density used for theoretical mass (domain.md, 2): house practice for carbon steel."""


def kg_to_g(kg: int | float | Decimal | str) -> int:
    """Kilograms to grams, exact for decimals."""
    return int((Decimal(str(kg)) * G_PER_KG).to_integral_value())


def mm_to_um(mm: int | float | Decimal | str) -> int:
    """Millimetres to micrometres, exact for decimals."""
    return int((Decimal(str(mm)) * UM_PER_MM).to_integral_value())


def m_to_um(m: int | float | Decimal | str) -> int:
    """Metres to micrometres, exact for decimals."""
    return int((Decimal(str(m)) * UM_PER_M).to_integral_value())


def theoretical_mass_g(thickness_um: int, width_um: int, length_um: int) -> int:
    """Mass in grams of a cold cuboid: t * w * l * 7,850 kg/m3, exact until it is rounded."""
    cubic_um = thickness_um * width_um * length_um
    return round(Fraction(cubic_um * STEEL_KG_PER_M3, 10**15))


def share_out(total: int, weights: list[int]) -> list[int]:
    """Split an integer by weights so that the parts add up exactly (largest remainder)."""
    whole = sum(weights)
    if whole <= 0:
        raise ValueError("weights must add up to more than nothing")
    parts = [total * w // whole for w in weights]
    rest = total - sum(parts)
    order = sorted(range(len(weights)), key=lambda i: (-(total * weights[i] % whole), i))
    for i in order[:rest]:
        parts[i] += 1
    return parts


def percent_text(e6: int, digits: int = 3) -> str:
    """A mass fraction in 1e-6 as mass-% text: 450 -> '0.045'."""
    return f"{Decimal(e6) / 10_000:.{digits}f}"
