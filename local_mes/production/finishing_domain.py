"""The finishing lines' arithmetic: which part of the coil a cut is, and what is lost or gained on the way. Pure.

Level 2 counts from the end that enters first; a piece counts from its own head. Where the line reverses length, the
tail enters first. Masses in g, lengths and widths in um.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from shared.errors import BadInput
from shared.material.domain import part_of
from shared.material.facts import Loss

UM_PER_MM = 1_000
WHOLE_SHARE_PPM = 10_000
"""What remains beyond the last cut of a coil is scrap when shorter than the line's end cuts and 1 % of its length."""
ESTIMATED_SHARE_PPM = 50_000
"""The same where the length is only estimated from the mass: 5 %."""


@dataclass(frozen=True, slots=True)
class Line:
    """What a line does to strip: its class and the parameters that its losses follow from.

    entry_end_um   cut at each end before the process (not coated, not rolled out)
    scale_ppm      pickled off, of what was charged
    coating_gm2    zinc aimed at, both sides together
    """

    unit_class: str
    entry_end_um: int = 0
    exit_end_um: int = 0
    scale_ppm: int = 0
    coating_gm2: int = 0


@dataclass(frozen=True, slots=True)
class Part:
    """The part of one parent that a cut used, counted from the end that entered first.

    start..stop is what was charged (with the ends that were lost), from..to what is in the product.
    """

    parent_id: str
    length_um: int
    mass_g: int
    start_um: int
    from_um: int
    to_um: int
    stop_um: int
    whole: bool
    charged_g: int = 0

    @property
    def share_g(self) -> int:
        """The mass of the charged part of the whole coil."""
        if self.charged_g:
            return self.charged_g
        return round(Fraction(self.mass_g * (self.stop_um - self.start_um), self.length_um))

    def own_interval(self, reversed_length: bool) -> tuple[int, int]:
        """from..to on the parent's own coordinates."""
        if reversed_length:
            return self.length_um - self.to_um, self.length_um - self.from_um
        return self.from_um, self.to_um


@dataclass(frozen=True, slots=True)
class Entered:
    """A coil in the line: how long, how heavy, how much of it earlier cuts used, and where it is welded to the next."""

    material_id: str
    length_um: int
    mass_g: int
    used_um: int = 0
    left_g: int | None = None
    weld_um: int | None = None
    next_coil: Entered | None = field(default=None)
    slack_ppm: int = WHOLE_SHARE_PPM


def parts_of_cut(first: Entered, from_um: int, to_um: int, line: Line) -> list[Part]:
    """The parents of one cut with their intervals: one coil, or a chain over welds when the cut runs past the end.

    BadInput when the cut lies where no strip was told of.
    """
    parts, coil, low, high = [], first, from_um, to_um
    while coil.weld_um is not None and high > coil.weld_um and coil.next_coil is not None:
        parts.append(_part(coil, low, coil.weld_um, line, ends=True))
        low, high, coil = 0, high - coil.weld_um, coil.next_coil
    # a counter is no tape measure: a cut a little past the end is the end
    slack = part_of(coil.length_um, coil.slack_ppm)
    if low >= high or low < coil.used_um - slack or high > coil.length_um + slack:
        raise BadInput(
            "production.cut_outside",
            f"A cut from {low} to {high} um is not on the coil of {coil.length_um} um, "
            f"of which {coil.used_um} um are used.",
            todo="Check the metres of the cut.",
        )
    parts.append(_part(coil, low, min(high, coil.length_um), line, ends=False))
    return parts


def _part(coil: Entered, low: int, high: int, line: Line, ends: bool) -> Part:
    start = coil.used_um
    rest = coil.length_um - high
    tail = line.entry_end_um + line.exit_end_um + part_of(coil.length_um, coil.slack_ppm)
    whole = ends or rest <= tail
    left = coil.left_g if coil.left_g is not None else coil.mass_g
    return Part(
        coil.material_id,
        coil.length_um,
        coil.mass_g,
        start,
        max(low, start),
        high,
        coil.length_um if whole else high,
        whole,
        left if whole else 0,
    )


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a step makes of its parts."""

    charged_g: int
    produced_g: int
    losses: tuple[Loss, ...]


def outcome_of(line: Line, parts: Sequence[Part], out_um: int, width_in_um: int, width_out_um: int) -> Outcome:
    """Computed losses and what must be left; zinc is a loss with a negative sign."""
    charged = sum(part.share_g for part in parts)
    ends, exit_um = _ends(line, parts)
    kept_um = sum(part.to_um - part.from_um for part in parts)
    scale = part_of(charged, line.scale_ppm)
    strip = charged - ends - scale
    trim = strip * (width_in_um - width_out_um) // width_in_um if 0 < width_out_um < width_in_um else 0
    strip -= trim
    zinc = _zinc_g(line, kept_um + exit_um, kept_um, out_um, width_out_um)
    exit_g = round(Fraction((strip + zinc) * exit_um, kept_um + exit_um)) if exit_um else 0
    kinds = "off_gauge" if line.unit_class == "cold_mill" else "ends"
    found = (Loss(kinds, ends), Loss("scale", scale), Loss("trim", trim), Loss("zinc", -zinc), Loss("ends", exit_g))
    return Outcome(charged, strip + zinc - exit_g, tuple(loss for loss in found if loss.g))


def _ends(line: Line, parts: Sequence[Part]) -> tuple[int, int]:
    """Mass (g) cut before the process, and length (um of entry strip) cut off after it."""
    grams, exit_um = Fraction(0), 0
    for part in parts:
        head = part.from_um - part.start_um
        tail = part.stop_um - part.to_um
        before = min(tail, line.entry_end_um) if line.exit_end_um else tail
        exit_um += tail - before
        span = part.stop_um - part.start_um
        grams += Fraction(part.share_g * (head + before), span) if span else 0
    return round(grams), exit_um


def _zinc_g(line: Line, strip_um: int, kept_um: int, out_um: int, width_um: int) -> int:
    """Aimed coating on the strip as long as it is after the temper mill: g/m2 x m x m."""
    if not line.coating_gm2 or not kept_um:
        return 0
    return round(Fraction(line.coating_gm2 * width_um * strip_um * out_um, kept_um * 10**12))


@dataclass(frozen=True, slots=True)
class Across:
    """Where a product lies across its parent, in the parent's own coordinates (um)."""

    left_um: int
    right_um: int


def across(
    width_in_um: int, widths_um: Sequence[int], reversed_width: bool, operator_right: bool = False
) -> list[Across]:
    """Products side by side from the operator side, the trim shared by both edges. BadInput when they do not fit."""
    spare = width_in_um - sum(widths_um)
    if spare < 0:
        raise BadInput(
            "production.too_wide",
            f"Products of {sum(widths_um)} um do not fit on {width_in_um} um of strip.",
            todo="Check the widths.",
        )
    found, left = [], spare // 2
    for width in widths_um:
        found.append(Across(left, left + width))
        left += width
    # positions run from the operator side; the parent's own left edge is the other one when the pass reverses width
    if reversed_width != operator_right:
        return [Across(width_in_um - a.right_um, width_in_um - a.left_um) for a in found]
    return found
