"""The caster's arithmetic: when a slab is cut and of which heats it is made.

Strand positions count cold metres from the head of the strand in the sequence. A ladle opens `mark` metres after the
head:
what was in the tundish then has still to leave it. Behind the mark the tundish is a stirred tank (scenario section 6).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from demo.scenario.moments import MINUTE

SPEED_M_MIN = 1.14
METALLURGICAL_M = 30.0
"""Meniscus to torch."""
HEAD_CROP_M, TAIL_CROP_M, KERF_M = 0.6, 1.2, 0.008
THICKNESS_MM, WIDTH_MM = 220, 1_280
SLAB_M = 9.300
DENSITY = 7_850
T_PER_M = THICKNESS_MM * WIDTH_MM * DENSITY / 1e9
"""One strand, 2.2106 t/m."""
STRANDS = 2
HEAT_T = 126.0
TUNDISH_T = 28.0
TUNDISH_AT_CHANGE_T = 12.0
HOT_OVER_COLD = 1.013
CUTS_A_HEAT = 3
"""A strand."""


@dataclass(frozen=True)
class Ladle:
    """One heat in a sequence: position from 1, when it opens, what is in the tundish then (0 for the first)."""

    heat: str
    grade: str
    position: int
    opens_ms: int
    tundish_t: float

    @property
    def mark_m(self) -> float:
        """Strand position from which its steel appears."""
        return 0.0 if self.position == 1 else (HEAT_T * (self.position - 1) - self.tundish_t) / (STRANDS * T_PER_M)

    @property
    def mixing_m(self) -> float:
        """Length constant of the stirred tank."""
        return self.tundish_t / (STRANDS * T_PER_M)


@dataclass(frozen=True)
class Cut:
    """A slab on a strand: k from 1 in the sequence, cut number from 1 in its heat."""

    heat: str
    strand: int
    k: int
    cut: int
    head_m: float
    length_m: float
    at_ms: int

    @property
    def number(self) -> str:
        """Painted number: heat-strand-cut."""
        return f"{self.heat}-{self.strand}-{self.cut}"

    @property
    def tail_m(self) -> float:
        """Strand position of its tail."""
        return self.head_m + self.length_m

    @property
    def theoretical_kg(self) -> int:
        """Cold size times density, in whole kilograms."""
        return round(self.length_m * T_PER_M * 1000)


def cuts_of(ladles: Sequence[Ladle], strand: int, lengths: dict[str, float] | None = None) -> list[Cut]:
    """The slabs of one strand; `lengths` overrides the cold length (m) of slabs by number."""
    out: list[Cut] = []
    head, start = HEAD_CROP_M, ladles[0].opens_ms
    for k in range(1, CUTS_A_HEAT * len(ladles) + 1):
        heat, cut = ladles[(k - 1) // CUTS_A_HEAT].heat, (k - 1) % CUTS_A_HEAT + 1
        length = (lengths or {}).get(f"{heat}-{strand}-{cut}", SLAB_M)
        leaves = start + round((METALLURGICAL_M + head + length + KERF_M) / SPEED_M_MIN * MINUTE)
        out.append(Cut(heat, strand, k, cut, head, length, leaves))
        head = round(head + length + KERF_M, 6)
    return out


def _new_share(ladle: Ladle, a: float, b: float) -> float:
    """Mean share of a ladle's steel and all after it between strand positions a and b."""
    if ladle.position == 1:
        return 1.0
    start = max(a, ladle.mark_m)
    if start >= b:
        return 0.0
    z0, z1, scale = start - ladle.mark_m, b - ladle.mark_m, ladle.mixing_m
    fresh = (z1 - z0) - scale * (math.exp(-z0 / scale) - math.exp(-z1 / scale))
    return fresh / (b - a)


def shares(ladles: Sequence[Ladle], cut: Cut) -> dict[str, float]:
    """Share of each heat in a slab, summing to 1: f = 1 - exp(-z / l) behind each mark, averaged over the slab."""
    reach = [_new_share(ladle, cut.head_m, cut.tail_m) for ladle in ladles] + [0.0]
    out: dict[str, float] = {}
    for ladle, mine, later in zip(ladles, reach, reach[1:], strict=False):
        if mine - later > 1e-6:
            out[ladle.heat] = mine - later
    total = sum(out.values())
    return {heat: value / total for heat, value in out.items()}


def as_ppm(parts: dict[str, float], whole: int = 1_000_000) -> dict[str, int]:
    """Shares as whole parts of `whole` by largest remainder, so that they add up exactly."""
    floors = {name: int(value * whole) for name, value in parts.items()}
    missing = whole - sum(floors.values())
    by_rest = sorted(parts, key=lambda name: (floors[name] - parts[name] * whole, name))
    for name in by_rest[:missing]:
        floors[name] += 1
    return floors


def foreign_metres(ladles: Sequence[Ladle], cut: Cut) -> float:
    """Metres of the slab in which steel of another grade than its heat's is between 10 and 90 % (QR-TRN-01)."""
    change = next((x for a, x in pairwise(ladles) if a.grade != x.grade), None)
    if change is None:
        return 0.0
    low = change.mark_m - change.mixing_m * math.log(0.9)
    high = change.mark_m - change.mixing_m * math.log(0.1)
    return max(0.0, min(high, cut.tail_m) - max(low, cut.head_m))
