"""Pure geometry and arithmetic of material: places through edges, partitions, balances, cycles.

A place is (metres from the head, millimetres from the left edge in running direction, face), in micrometres. An edge
maps a parent's interval onto a child's by one affine map along and one across, and three flips that compose by XOR.
Fractions keep six and more passes exact; only the shown figure is rounded.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol

from shared.errors import BadInput, Refused


class Intervals(Protocol):
    """The geometry of an edge, as a row or as a fact carries it."""

    @property
    def parent_from_um(self) -> int: ...
    @property
    def parent_to_um(self) -> int: ...
    @property
    def child_from_um(self) -> int: ...
    @property
    def child_to_um(self) -> int: ...
    @property
    def parent_left_um(self) -> int: ...
    @property
    def parent_right_um(self) -> int: ...
    @property
    def child_left_um(self) -> int: ...
    @property
    def child_right_um(self) -> int: ...
    @property
    def flip_length(self) -> bool: ...
    @property
    def flip_width(self) -> bool: ...
    @property
    def flip_face(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Affine:
    """x -> scale * x + offset, exact."""

    scale: Fraction = Fraction(1)
    offset: Fraction = Fraction(0)

    def __call__(self, x: int | Fraction) -> Fraction:
        """The image of x."""
        return self.scale * x + self.offset

    def then(self, after: Affine) -> Affine:
        """First this map, then `after`."""
        return Affine(after.scale * self.scale, after.scale * self.offset + after.offset)

    def inverse(self) -> Affine:
        """The way back; it always exists, because no interval has length zero on one side alone."""
        return Affine(1 / self.scale, -self.offset / self.scale)


def affine(source: tuple[int, int], target: tuple[int, int], flip: bool) -> Affine:
    """The map of one interval onto another; two empty ones mean 'not measured' and pass places through unchanged."""
    (a, b), (c, d) = source, target
    if a == b or c == d:
        return Affine()
    scale = Fraction(d - c, b - a)
    return Affine(-scale, d + scale * a) if flip else Affine(scale, c - scale * a)


@dataclass(frozen=True, slots=True)
class EdgeMap:
    """Places of a piece as places of another: along, across, and whether the face is turned."""

    along: Affine = Affine()
    across: Affine = Affine()
    turned: bool = False

    def then(self, after: EdgeMap) -> EdgeMap:
        """First this map, then `after`."""
        return EdgeMap(self.along.then(after.along), self.across.then(after.across), self.turned != after.turned)

    def inverse(self) -> EdgeMap:
        """The way back."""
        return EdgeMap(self.along.inverse(), self.across.inverse(), self.turned)

    @property
    def flips(self) -> tuple[bool, bool, bool]:
        """Whether length and width run the other way and the face is turned."""
        return self.along.scale < 0, self.across.scale < 0, self.turned


def to_child(edge: Intervals) -> EdgeMap:
    """Places of the parent as places of the child."""
    return EdgeMap(
        affine((edge.parent_from_um, edge.parent_to_um), (edge.child_from_um, edge.child_to_um), edge.flip_length),
        affine((edge.parent_left_um, edge.parent_right_um), (edge.child_left_um, edge.child_right_um), edge.flip_width),
        edge.flip_face,
    )


def to_parent(edge: Intervals) -> EdgeMap:
    """Places of the child as places of the parent."""
    return to_child(edge).inverse()


def holds_place(edge: Intervals, at: int | Fraction, left: int | Fraction | None) -> bool:
    """Whether the child's place lies in this edge's child interval (a slit's or a weld's part), borders included."""
    along = edge.child_from_um == edge.child_to_um or edge.child_from_um <= at <= edge.child_to_um
    across = (
        left is None or edge.child_left_um == edge.child_right_um or (edge.child_left_um <= left <= edge.child_right_um)
    )
    return along and across


def clip(interval: tuple[Fraction, Fraction], bounds: tuple[int, int]) -> tuple[Fraction, Fraction] | None:
    """The part of an interval inside the bounds; all of it where the bounds are not measured; None outside."""
    low, high = bounds
    if low == high:
        return interval
    a, b = max(interval[0], Fraction(low)), min(interval[1], Fraction(high))
    return (a, b) if a <= b else None


def check_flips(length: bool, width: bool, face: bool) -> None:
    """Refuse what a right-handed frame cannot do: only an even number of flips is a motion of the strip."""
    if (length + width + face) % 2:
        raise BadInput(
            "material.odd_flips",
            f"Flips ({length:d},{width:d},{face:d}) of length, width and face would need a mirror.",
            todo="Use an even number of flips: set them in the unit's parameters of the plant model.",
        )


def check_inside(interval: tuple[int, int], whole: int, name: str, *, point: bool = False) -> None:
    """Refuse an interval that is empty, reversed or beyond its piece (0 = the piece's size is not known); point: it may be
    one place, as a weld is."""
    low, high = interval
    if low < 0 or high < low or (high == low and not point) or (whole and high > whole):
        raise BadInput(
            "material.outside",
            f"{name} {low} to {high} um is no part of a piece of {whole} um.",
            todo="Check the size of the piece and the cut positions.",
        )


def check_partition(parts: Iterable[tuple[int, int]], whole: int, tolerance_um: int = 0) -> None:
    """Refuse parts of one parent that overlap or reach beyond it; gaps are losses (kerf, trim, ends) and legal."""
    end = 0
    for low, high in sorted(parts):
        if low < end - tolerance_um or high < low or high > whole + tolerance_um:
            raise BadInput(
                "material.no_partition",
                f"The part {low} to {high} um overlaps its neighbour or leaves the piece of {whole} um.",
                todo="Check the slit plan or the cut positions.",
            )
        end = high


@dataclass(frozen=True, slots=True)
class Balance:
    """charged + added = produced + lost + unexplained, in grams (domain.md, 2)."""

    charged_g: int
    produced_g: int
    lost_g: int
    added_g: int = 0

    @property
    def unexplained_g(self) -> int:
        """What neither a scale nor a rule of loss accounts for; negative when more came out than went in."""
        return self.charged_g + self.added_g - self.produced_g - self.lost_g

    def closes(self, tolerance_ppm: int) -> bool:
        """Whether the unexplained part is inside the tolerance of this class of operation."""
        return abs(self.unexplained_g) * 1_000_000 <= tolerance_ppm * self.charged_g


def check_acyclic(parents: Sequence[str], children: Sequence[str], ancestors: Iterable[str]) -> None:
    """Refuse an operation whose child is its own parent or an ancestor of one."""
    circle = set(children) & (set(parents) | set(ancestors))
    if circle:
        raise Refused(
            "material.cycle",
            f"Piece {sorted(circle)[0]} would become its own ancestor.",
            todo="Give the product a number of its own.",
        )


def rolled_length_um(length_um: int, entry: tuple[int, int], exit_: tuple[int, int]) -> int:
    """Length after rolling at constant volume: L t w / (t' w') with (thickness, width) in um (domain.md, 3)."""
    return round(Fraction(length_um * entry[0] * entry[1], exit_[0] * exit_[1]))


def part_of(value: int, ppm: int) -> int:
    """A share in ppm of a whole number, rounded to the nearest."""
    return (value * ppm * 2 + 1_000_000) // 2_000_000
