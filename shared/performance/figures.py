"""Ratios of base measures, taken last. None where a base measure is missing: no data is not zero. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

PPM = 1_000_000
HOUR_MS = 3_600_000
INPUTS = ("charged_g", "to_tundish_g", "tapped_g")
"""What went into a step, by what its unit counts: pieces charged, else steel to the tundish, else tapped."""


@dataclass(frozen=True, slots=True)
class Figures:
    """One unit over one span. Shares in ppm, masses in g, times in ms; yield above 100 % is legal (zinc)."""

    input_g: int | None
    good_g: int | None
    scrap_g: int | None
    pieces: int | None
    apt_ms: int | None
    stop_ms: int | None
    setup_ms: int | None
    yield_ppm: int | None
    prime_yield_ppm: int | None
    good_g_per_h: int | None


def figures_of(measures: Mapping[str, int]) -> Figures:
    """A unit's figures out of its summed base measures."""
    charged = next((measures[name] for name in INPUTS if measures.get(name)), None)
    good, apt = measures.get("good_g"), measures.get("apt_ms")
    return Figures(
        charged,
        good,
        measures.get("scrap_g"),
        measures.get("pieces"),
        apt,
        measures.get("stop_ms"),
        measures.get("setup_ms"),
        ratio(good, charged),
        ratio(measures.get("prime_g"), charged),
        None if good is None or not apt else round(good * HOUR_MS / apt),
    )


def ratio(part: int | None, whole: int | None) -> int | None:
    """part / whole in ppm, or None where either was not counted."""
    return None if part is None or not whole else round(part * PPM / whole)


def pareto(delays: Mapping[str, int]) -> list[tuple[str, int, int]]:
    """Reasons with their ms and share of all delay (ppm), the longest first."""
    total = sum(delays.values())
    ordered = sorted(delays.items(), key=lambda item: (-item[1], item[0]))
    return [(reason, ms, ratio(ms, total) or 0) for reason, ms in ordered]
