"""The finishing lines' arithmetic: pickling, cold rolling, galvanising, slitting. Mass in kg, lengths in m, widths in
mm.

Every uncoil-recoil pass swaps head and tail. Intervals counted from the end that enters first are what the line tells;
the ledger has them on the parent's own coordinates.
"""

from __future__ import annotations

from dataclasses import dataclass

from demo.scenario.castplan import DENSITY
from demo.scenario.script import Line, grams, um

PICKLE_END_M, TRIM_MM, PICKLE_SCALE = 3.0, 20.0, 0.0040
OFF_GAUGE_M = 8.0
"""Each end, of the rolled strip."""
CG_ENTRY_END_M, CG_EXIT_END_M, TEMPER = 4.0, 10.0, 1.008
ZINC_G_M2 = 285.0
SLIT_END_M, SLIT_MM, SLIT_EDGE_MM = 3.0, 308, 9
COLD_MM, COATED_MM, STRIP_MM = 0.76, 0.80, 1_250
FLIPS = {"PL": (1, 1, 0), "CM": (1, 1, 0), "CG": (1, 1, 0), "SL": (1, 0, 1)}
"""Length, width, face; each turns an even number."""


@dataclass(frozen=True)
class Coil:
    """A coil between two lines."""

    piece: str
    number: str
    kg: float
    length_m: float
    thickness_mm: float
    width_mm: float
    grade: str
    order: str


@dataclass(frozen=True)
class Pass:
    """One coil through one line. from_m and to_m count on the parent from the end that enters first; left_mm/right_mm
    on its width."""

    line: str
    parent: Coil
    made: Coil
    from_m: float
    to_m: float
    left_mm: float
    right_mm: float

    def interval(self) -> Line:
        """The parent's interval in the parent's own coordinates."""
        flips = FLIPS[self.line]
        low, high = (
            (self.parent.length_m - self.to_m, self.parent.length_m - self.from_m)
            if flips[0]
            else (self.from_m, self.to_m)
        )
        return {
            "piece": self.parent.piece,
            "mass_g": grams(self.made.kg),
            "from_um": um(low * 1000),
            "to_um": um(high * 1000),
            "left_um": um(self.left_mm),
            "right_um": um(self.right_mm),
            "flips": list(flips),
        }


def _metre_kg(coil: Coil) -> float:
    return coil.kg / coil.length_m


def pickle(coil: Coil, number: str, fixed_kg: int | None = None) -> Pass:
    """Ends 3.0 m each, scale 0.40 %, trimmed by 20 mm; a strip that is narrow enough is not trimmed."""
    length = round(coil.length_m - 2 * PICKLE_END_M, 1)
    kept = coil.kg - 2 * PICKLE_END_M * _metre_kg(coil)
    width = coil.width_mm - TRIM_MM if coil.width_mm > STRIP_MM else coil.width_mm
    # the scale is of what was charged, the trim of the strip that goes through the trimmer (golden thread: 149, 81,
    # 316)
    mass = kept - PICKLE_SCALE * coil.kg
    mass *= width / coil.width_mm
    edge = (coil.width_mm - width) / 2
    made = Coil(
        number,
        number,
        fixed_kg if fixed_kg is not None else round(mass),
        length,
        coil.thickness_mm,
        width,
        coil.grade,
        coil.order,
    )
    return Pass("PL", coil, made, PICKLE_END_M, coil.length_m - PICKLE_END_M, edge, coil.width_mm - edge)


def cold_roll(coil: Coil, number: str, fixed: tuple[int, float] | None = None) -> Pass:
    """2.50 to 0.76 mm; off-gauge ends of 8 m each (rolled) are cut off. fixed = (kg, m) of a named coil."""
    stretch = coil.thickness_mm / COLD_MM
    end = OFF_GAUGE_M / stretch
    mass = coil.kg - 2 * end * _metre_kg(coil)
    kg = fixed[0] if fixed else round(mass)
    length = fixed[1] if fixed else round(kg / (DENSITY * COLD_MM * coil.width_mm / 1e6), 1)
    made = Coil(number, number, kg, length, COLD_MM, coil.width_mm, coil.grade, coil.order)
    return Pass("CM", coil, made, end, coil.length_m - end, 0.0, coil.width_mm)


def galvanise(coil: Coil, number: str, fixed: tuple[int, float] | None = None) -> Pass:
    """Entry ends 4 m each, temper rolled by 0.8 %, coated with 285 g/m2, the last 10 m cut off at the exit."""
    entered = coil.length_m - 2 * CG_ENTRY_END_M
    strip = entered * TEMPER
    length = fixed[1] if fixed else round(strip - CG_EXIT_END_M, 1)
    zinc = ZINC_G_M2 / 1000 * coil.width_mm / 1000 * strip
    whole = entered * _metre_kg(coil) + zinc
    mass = fixed[0] if fixed else round(whole * length / strip)
    made = Coil(number, number, mass, length, COATED_MM, coil.width_mm, coil.grade, coil.order)
    return Pass("CG", coil, made, CG_ENTRY_END_M, CG_ENTRY_END_M + length / TEMPER, 0.0, coil.width_mm)


def slit(coil: Coil, fixed_kg: tuple[int, ...] | None = None) -> list[Pass]:
    """Four slits of 308 mm from the operator side, 9 mm trim at each edge, ends 3 m each."""
    length = round(coil.length_m - 2 * SLIT_END_M, 1)
    strip = coil.kg - 2 * SLIT_END_M * _metre_kg(coil)
    each = strip * SLIT_MM / coil.width_mm
    out = []
    for i, letter in enumerate("ABCD"):
        left = SLIT_EDGE_MM + SLIT_MM * i
        number = f"{coil.number}-{letter}"
        mass = fixed_kg[i] if fixed_kg else round(each) + (-1, 0, 1, 0)[i]
        made = Coil(number, number, mass, length, coil.thickness_mm, SLIT_MM, coil.grade, coil.order)
        out.append(Pass("SL", coil, made, SLIT_END_M, coil.length_m - SLIT_END_M, left, left + SLIT_MM))
    return out
