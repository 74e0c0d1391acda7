"""Pure rules of quality: mixed steel, what holds a piece, what may become of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

PPM = 1_000_000
DISPOSITIONS = ("prime", "downgrade", "reapply", "rework", "scrap", "return")
"""What a person may decide about a held piece (domain.md, 6)."""


@dataclass(frozen=True)
class Value:
    """One element of an analysis: 1e-6 mass fraction, '<' or '>' where outside the instrument's range, digits in %."""

    e6: int
    operator: str = ""
    digits: int = 3


@dataclass(frozen=True)
class Analysis:
    """A sample's result."""

    author: str
    sample_id: str
    number: str
    material_id: str
    place: str
    taken_at_ms: int
    analysed_at_ms: int
    values: Mapping[str, Value]

    @property
    def e6(self) -> dict[str, int]:
        """Element -> 1e-6 mass fraction; a value below the range counts as the range's end, which is the safe side."""
        return {element: value.e6 for element, value in self.values.items()}


def mixed_e6(shares_ppm: Mapping[str, int], analyses: Mapping[str, Mapping[str, int]]) -> dict[str, int]:
    """Analysis of steel mixed from heats, by share (ppm), rounded to 1e-6.

    Elements that were not measured in every heat are left out: a missing value is not a zero.
    """
    whole = sum(shares_ppm.values())
    if not whole or any(heat not in analyses for heat in shares_ppm):
        return {}
    common = set.intersection(*(set(analyses[heat]) for heat in shares_ppm))
    return {
        element: _divided(sum(share * analyses[heat][element] for heat, share in shares_ppm.items()), whole)
        for element in sorted(common)
    }


def _divided(total: int, whole: int) -> int:
    """Nearest whole number; both are not negative."""
    return (2 * total + whole) // (2 * whole)


@dataclass(frozen=True)
class Held:
    """A hold as seen from a piece: `steps` generations up (0 = the piece's own)."""

    author: str
    hold_id: str
    material_id: str
    reason: str
    rule_id: str
    decision_id: str
    inherited_from: str
    placed_at_ms: int
    released_at_ms: int | None
    steps: int

    @property
    def is_open(self) -> bool:
        """Whether nobody released it yet."""
        return self.released_at_ms is None


def open_for(holds: Sequence[Held]) -> list[Held]:
    """The open ones that count for the piece, oldest first.

    A hold higher up is answered by one lower down that was inherited from it: the lower one's own state decides.
    """
    answered = _answered(holds)
    left = [h for h in holds if h.is_open and h.hold_id not in answered]
    return sorted(left, key=lambda h: (h.placed_at_ms, h.hold_id))


def _answered(holds: Iterable[Held]) -> set[str]:
    by_id = {h.hold_id: h for h in holds}
    return {h.inherited_from for h in holds if h.inherited_from in by_id and by_id[h.inherited_from].steps > h.steps}


def quality_status(open_count: int, only_for: str) -> str:
    """free | held | restricted: what a shipment's paper says of a piece."""
    if open_count:
        return "held"
    return "restricted" if only_for else "free"
