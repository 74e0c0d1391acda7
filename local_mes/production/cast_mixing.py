"""The mixing rule of a tundish, and what it says of a piece of strand, interval by interval.

The rule is the usual model of a tundish as three parts of its steel: a plug that is pushed through first, a stirred tank,
and dead zones that take no part (Sahai and Emi, ISIJ International 36, 1996). The default, all stirred, is decision 0008.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise

from sqlalchemy import Connection

from local_mes.production.cast_domain import PPM, LadleMark, mean_shares
from local_mes.standards.service import parameters
from shared.material.facts import Mixture
from shared.units import UM_PER_M, UM_PER_MM, share_out

INTERVALS_MAX = 100
"""Intervals a slab at most: eight centimetres of the shortest slab, far finer than any tundish mixes."""


PARAMETERS = ("mixing_plug_ppm", "mixing_dead_ppm", "mixing_step_mm")
"""Of a route, carried by the casters (docs/standards.md)."""


@dataclass(frozen=True)
class MixingRule:
    """plug_ppm and dead_ppm of the tundish's steel, the rest is stirred; step_um: length of an interval that is told."""

    plug_ppm: int = 0
    dead_ppm: int = 0
    step_um: int = 500_000

    def seen(self, ladles: Sequence[LadleMark], g_per_m: int) -> list[LadleMark]:
        """The ladles as the stirred part sees them: later by the plug, and with less steel to mix."""
        stirred_ppm = max(0, PPM - self.plug_ppm - self.dead_ppm)
        late = [ladle.mark_um + ladle.tundish_g * self.plug_ppm * UM_PER_M // (PPM * g_per_m) for ladle in ladles]
        return [
            replace(ladle, mark_um=mark_um, tundish_g=ladle.tundish_g * stirred_ppm // PPM)
            for ladle, mark_um in zip(ladles, accumulate(late, max), strict=True)
        ]


ALL_STIRRED = MixingRule()
"""Where no standard in force says otherwise."""


def mixing_rule(conn: Connection, route: str, unit: str) -> MixingRule:
    """The rule of the route's version in force, as bound to a caster here; the default where it names none."""
    bound = parameters(conn, route, unit) if route else {}
    plug_ppm, dead_ppm, step_mm = (bound.get(name) for name in PARAMETERS)
    return MixingRule(
        plug_ppm if isinstance(plug_ppm, int) else ALL_STIRRED.plug_ppm,
        dead_ppm if isinstance(dead_ppm, int) else ALL_STIRRED.dead_ppm,
        max(1, step_mm) * UM_PER_MM if isinstance(step_mm, int) else ALL_STIRRED.step_um,
    )


def mixture_of(
    child_id: str,
    ladles: Sequence[LadleMark],
    interval: tuple[int, int],
    g_per_m: int,
    shares_ppm: Mapping[str, int],
    rule: MixingRule,
) -> Mixture | None:
    """The heats of a piece of strand by interval; None for steel of one heat.

    ladles: as the rule sees them. shares_ppm: of the whole piece; only its heats are told, so that no interval names one
    that the piece has no edge from.
    """
    if len(shares_ppm) < 2:
        return None
    bounds = _bounds(ladles, interval, rule.step_um)
    rows = [_row(ladles, part, g_per_m, shares_ppm) for part in pairwise(bounds)]
    kept = [0, *(n for n in range(1, len(rows)) if rows[n] != rows[n - 1])]
    return Mixture(
        child_id=child_id,
        heats=tuple(shares_ppm),
        bounds_um=(*(bounds[n] for n in kept), bounds[-1]),
        shares_ppm=tuple(rows[n] for n in kept),
        plug_ppm=rule.plug_ppm,
        dead_ppm=rule.dead_ppm,
    )


def _bounds(ladles: Sequence[LadleMark], interval: tuple[int, int], step_um: int) -> list[int]:
    """Equal steps, and where a ladle's steel begins: there the shares jump or turn."""
    low, high = interval
    count = min(INTERVALS_MAX, max(1, -(-(high - low) // step_um)))
    steps = {low + (high - low) * n // count for n in range(count + 1)}
    return sorted(steps | {ladle.mark_um for ladle in ladles if low < ladle.mark_um < high})


def _row(
    ladles: Sequence[LadleMark], part: tuple[int, int], g_per_m: int, shares_ppm: Mapping[str, int]
) -> tuple[int, ...]:
    exact = mean_shares(ladles, part, g_per_m)
    weights = [round(max(0.0, exact[heat]) * PPM * 1_000) for heat in shares_ppm]
    return tuple(share_out(PPM, weights if sum(weights) else list(shares_ppm.values())))
