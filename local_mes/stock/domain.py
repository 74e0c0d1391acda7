"""What makes a place, a mass and a row of a take-over acceptable. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

MASS_MAX_G = 400_000_000
"""No crane of a steel plant lifts more in one piece than a ladle."""
KINDS = ("heat", "slab", "coil", "slit")
BASES = ("theoretical", "weighed", "charged", "ladle")
_HEAD = re.compile(r"[^-/ .]+")


@dataclass(frozen=True)
class StockRow:
    """One piece of a take-over; g, um, 1e-6 mass fraction."""

    number: str
    kind: str
    place: str
    grade: str
    mass_g: int
    mass_basis: str
    thickness_um: int = 0
    width_um: int = 0
    length_um: int = 0
    order_item: str = ""
    heat: str = ""
    supplier: str = ""
    chemistry: dict[str, int] = field(default_factory=dict)


def is_place(place: str, codes: Collection[str]) -> bool:
    """Whether a place begins with the code of a unit or an area: YB-3, 'CB3 row 2', GA."""
    found = _HEAD.match(place.strip())
    return bool(found) and found.group(0) in codes if found else False


def is_mass(mass_g: int) -> bool:
    """Whether a piece can weigh this."""
    return 0 < mass_g <= MASS_MAX_G


def faults_of(rows: Sequence[StockRow], places: Collection[str], taken: Collection[str]) -> list[str]:
    """Why rows cannot be taken in, by row number from 1; taken = numbers that live here already."""
    faults, seen = [], set(taken)
    for index, row in enumerate(rows, start=1):
        if fault := _fault(row, places, seen):
            faults.append(f"row {index} ({row.number or 'no number'}): {fault}")
        seen.add(row.number)
    return faults


def _fault(row: StockRow, places: Collection[str], seen: Collection[str]) -> str:
    if not row.number.strip():
        return "no number"
    if row.number in seen:
        return "the number is taken"
    if row.kind not in KINDS:
        return f"kind {row.kind!r} is none of {', '.join(KINDS)}"
    if row.mass_basis not in BASES:
        return f"mass basis {row.mass_basis!r} is none of {', '.join(BASES)}"
    if not is_mass(row.mass_g):
        return f"{row.mass_g / 1000:,.0f} kg is no mass of a piece"
    if min(row.thickness_um, row.width_um, row.length_um) < 0:
        return "a size below nothing"
    if not is_place(row.place, places):
        return f"{row.place!r} is no place of this plant"
    return ""
