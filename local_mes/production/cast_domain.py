"""The caster's arithmetic, pure: cold sizes, and which heats a piece of strand is made of.

Behind the place where a ladle opened (its mark, in strand metres) the tundish is a stirred tank: z metres on, the new
heat's part is f = 1 - exp(-z / l), with l = tundish mass / mass of a metre of all strands. What was in the tundish at the
mark, itself a mixture, fades as exp(-z / l). Shares of a slab are the mean over its interval, in closed form.
The stirred tank is the simplest model in use; casters with a fitted one tell shares themselves.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from shared.units import UM_PER_M, UM_PER_MM, share_out, theoretical_mass_g

PPM = 1_000_000
SHARE_LEAST_PPM = 10_000
"""A share below 1 % is inside what the model can know; it is dropped and the rest fills up to the whole."""
MIXED_FROM, MIXED_TO = 0.1, 0.9
"""Between a tenth and nine tenths of another grade steel is neither the one nor the other."""


@dataclass(frozen=True)
class LadleMark:
    """A ladle as the strand sees it: its heat and grade, strand position (um) where it opened, tundish mass then."""

    heat_id: str
    grade: str
    mark_um: int
    tundish_g: int


@dataclass(frozen=True)
class ColdSize:
    """Size after cooling, in um."""

    thickness_um: int
    width_um: int
    length_um: int

    @property
    def mass_g(self) -> int:
        """Theoretical mass of the cold piece."""
        return theoretical_mass_g(self.thickness_um, self.width_um, self.length_um)


def cold_um(hot_mm: int, shrinkage_ppm: int) -> int:
    """Cold size of a hot one: hot / (1 + shrinkage), to the whole millimetre that was measured."""
    return round(hot_mm * PPM / (PPM + shrinkage_ppm)) * UM_PER_MM


def born_interval(head_um: int, tail_um: int, length_um: int, kerf_um: int) -> tuple[int, int]:
    """The piece's own part of the strand: some casters count the kerf into the tail's metre, some do not."""
    told = tail_um - head_um
    without = told - kerf_um
    return head_um, tail_um - kerf_um if abs(without - length_um) < abs(told - length_um) else tail_um


def length_differs(interval: tuple[int, int], length_um: int, tolerance_ppm: int) -> int:
    """By how many um hot length and strand metres disagree; 0 within the tolerance."""
    difference = length_um - (interval[1] - interval[0])
    return difference if abs(difference) * PPM > tolerance_ppm * length_um else 0


def mean_shares(ladles: Sequence[LadleMark], interval: tuple[int, int], g_per_m: int) -> dict[str, float]:
    """Mean part of each heat over a strand interval, adding up to 1. ladles in the order they opened.

    g_per_m: mass of one metre of all strands together.
    """
    low, high = interval
    found = {ladle.heat_id: 0.0 for ladle in ladles}
    for stretch in _stretches(ladles, g_per_m):
        a, b = max(low, stretch.from_um), min(high, stretch.to_um)
        if a < b:
            old = stretch.faded(a, b) / (high - low)
            for heat_id, part in stretch.before.items():
                found[heat_id] += part * old
            found[stretch.heat_id] += (b - a) / (high - low) - old
    return found


def shares_ppm(ladles: Sequence[LadleMark], interval: tuple[int, int], g_per_m: int) -> dict[str, int]:
    """Shares of heats in ppm that add up to exactly 1,000,000, those below SHARE_LEAST_PPM left out."""
    exact = {heat: round(part * PPM * 1000) for heat, part in mean_shares(ladles, interval, g_per_m).items()}
    kept = {heat: part for heat, part in exact.items() if part >= SHARE_LEAST_PPM * 1000}
    if not kept:
        kept = {max(exact, key=lambda heat: (exact[heat], heat)): 1}
    return dict(zip(kept, share_out(PPM, list(kept.values())), strict=True))


def mixed_length_um(ladles: Sequence[LadleMark], interval: tuple[int, int], g_per_m: int, grade: str) -> int:
    """Length of the interval in which steel of other grades than this one is between 10 and 90 %."""
    grades = {ladle.heat_id: ladle.grade for ladle in ladles}
    total = 0.0
    for stretch in _stretches(ladles, g_per_m):
        a, b = max(interval[0], stretch.from_um), min(interval[1], stretch.to_um)
        if a >= b:
            continue
        other = sum(part for heat, part in stretch.before.items() if grades[heat] != grade)
        # either the other grade fades, or the piece's own does: 10-90 % of the one is 10-90 % of the other
        fading = other if grades[stretch.heat_id] == grade else 1 - other
        from_um, to_um = stretch.between(fading, MIXED_FROM, MIXED_TO)
        total += max(0.0, min(b, to_um) - max(a, from_um))
    return round(total)


@dataclass(frozen=True)
class _Stretch:
    """The strand from one ladle's mark to the next one's; before: the tundish's mixture at the mark."""

    heat_id: str
    from_um: float
    to_um: float
    scale_um: float
    before: Mapping[str, float]

    def left(self, at_um: float) -> float:
        """What is left of the mixture of before at a place, 0 to 1."""
        return math.exp((self.from_um - at_um) / self.scale_um) if self.scale_um else 0.0

    def faded(self, a: float, b: float) -> float:
        """Integral of `left` over [a, b]."""
        return self.scale_um * (self.left(a) - self.left(b))

    def between(self, fading: float, low: float, high: float) -> tuple[float, float]:
        """Where a fading part goes from `high` down to `low`; an empty interval where it never is that much."""
        if not self.scale_um or fading <= low:
            return self.from_um, self.from_um
        enters = self.from_um + max(0.0, self.scale_um * math.log(fading / high))
        return enters, self.from_um + self.scale_um * math.log(fading / low)


def _stretches(ladles: Sequence[LadleMark], g_per_m: int) -> list[_Stretch]:
    """The strand cut at the marks; the first reaches back to where the strand began, the last goes on."""
    found: list[_Stretch] = []
    mixture: dict[str, float] = {}
    ends = [*(ladle.mark_um for ladle in ladles[1:]), math.inf]
    for index, (ladle, end) in enumerate(zip(ladles, ends, strict=True)):
        scale = ladle.tundish_g * UM_PER_M / g_per_m if mixture else 0.0
        start = -math.inf if index == 0 and not mixture else float(ladle.mark_um)
        stretch = _Stretch(ladle.heat_id, start, float(end), scale, mixture)
        found.append(stretch)
        left = stretch.left(end) if scale else 0.0
        mixture = {heat: part * left for heat, part in mixture.items()}
        mixture[ladle.heat_id] = mixture.get(ladle.heat_id, 0.0) + 1 - left
    return found


def marks_rise(marks: Sequence[int]) -> bool:
    """Whether ladles opened one behind the other on the strand."""
    return all(a <= b for a, b in pairwise(marks))
