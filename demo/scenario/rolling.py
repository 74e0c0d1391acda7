"""The hot mill's arithmetic: scale, crops, coil mass and length, and where on the slab a metre of the coil was."""

from __future__ import annotations

from dataclasses import dataclass

from demo.scenario.castplan import DENSITY, THICKNESS_MM, WIDTH_MM
from demo.scenario.script import Line, grams, um

SCALE, DESCALE = 0.0075, 0.0025
HEAD_CROP_KG, TAIL_CROP_KG = 62, 71


@dataclass(frozen=True)
class Slab:
    """A slab as the mill has it: `piece` is its name in the ledger, `number` what is painted at the mill; mass
    weighed at WS1."""

    piece: str
    number: str
    weighed_kg: int
    length_m: float
    grade: str
    order: str


@dataclass(frozen=True)
class Rolled:
    """What becomes of a slab: crops in kg, coil mass in kg (10 kg scale), size in mm, length in m."""

    slab: Slab
    coil: str
    head_kg: int
    tail_kg: int
    coil_kg: int
    thickness_mm: float
    width_mm: float
    length_m: float

    @property
    def from_m(self) -> float:
        """Slab metre at which the coil's head was."""
        return self.slab.length_m * self.head_kg / self._hot_kg

    @property
    def to_m(self) -> float:
        """Slab metre at which the coil's tail was."""
        return self.slab.length_m * (1 - self.tail_kg / self._hot_kg)

    @property
    def _hot_kg(self) -> float:
        return self.slab.weighed_kg * (1 - SCALE)

    def parent(self) -> Line:
        """The ledger's interval of the slab."""
        return {
            "piece": self.slab.piece,
            "mass_g": grams(self.coil_kg),
            "from_um": um(self.from_m * 1000),
            "to_um": um(self.to_m * 1000),
            "left_um": 0,
            "right_um": um(WIDTH_MM),
            "flips": [0, 0, 0],
        }


def roll(
    slab: Slab,
    coil: str,
    thickness_mm: float,
    width_mm: float,
    noise_kg: int = 0,
    coil_kg: int | None = None,
    length_m: float | None = None,
) -> Rolled:
    """Mass closes: coil = slab - 0.75 % scale - 0.25 % descale - crops; the tail crop takes the rounding of the 10 kg
    scale.

    coil_kg and length_m fix a named coil; else the length follows from the volume.
    """
    kept = slab.weighed_kg * (1 - SCALE - DESCALE)
    mass = coil_kg if coil_kg is not None else round((kept - HEAD_CROP_KG - TAIL_CROP_KG + noise_kg) / 10) * 10
    tail = int(kept - HEAD_CROP_KG - mass)
    length = length_m if length_m is not None else round(mass / (DENSITY * thickness_mm * width_mm / 1e6), 1)
    return Rolled(slab, coil, HEAD_CROP_KG, tail, mass, thickness_mm, width_mm, length)


def slab_kg_for(coil_kg: int) -> int:
    """The weighed slab (10 kg steps) that leaves a coil of this mass with usual losses."""
    return round((coil_kg + HEAD_CROP_KG + TAIL_CROP_KG) / (1 - SCALE - DESCALE) / 10) * 10


def slab_length_m(theoretical_kg: int) -> float:
    """Cold length of a 220 x 1280 slab of this theoretical mass, in the 5 mm steps of the torch."""
    return round(theoretical_kg / (DENSITY * THICKNESS_MM * WIDTH_MM / 1e6) / 5 * 1000) * 5 / 1000
