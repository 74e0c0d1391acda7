"""The mass balance of a span, out of the operations themselves: sums by unit and operation, yields, what is open.

charged + added = produced + loss + unexplained (domain.md, 2). Sums first, ratios last; all in grams and ppm. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby

from shared.performance.closing_facts import BalanceLine

PPM = 1_000_000


@dataclass(frozen=True, slots=True)
class StepSum:
    """All operations of one kind at one unit in a span."""

    unit: str
    operation: str
    operations: int
    charged_g: int
    added_g: int
    produced_g: int
    loss_g: int
    weighed_loss_g: int = 0
    """The part of the losses that a scale said; the rest is computed (scale, kerf)."""
    prime_g: int = 0
    """Products that nothing holds and that were not downgraded, scrapped or sent to rework."""

    @property
    def unexplained_g(self) -> int:
        """What neither a scale nor a rule accounts for; negative when more came out."""
        return self.charged_g + self.added_g - self.produced_g - self.loss_g


@dataclass(frozen=True, slots=True)
class ClassBalance:
    """One class of operation over a span; tolerance and shares in ppm of what was charged, None where nothing was."""

    unit_class: str
    operation: str
    units: tuple[str, ...]
    tolerance_ppm: int
    total: StepSum
    yield_ppm: int | None
    prime_ppm: int | None
    cumulative_ppm: int | None
    """The yields of all classes up to this one, multiplied in the order of the route."""

    @property
    def closes(self) -> bool:
        """Whether the unexplained mass is inside the tolerance."""
        return abs(self.total.unexplained_g) * PPM <= self.tolerance_ppm * self.total.charged_g

    @property
    def unexplained_ppm(self) -> int | None:
        """Of what was charged."""
        return _ppm(self.total.unexplained_g, self.total.charged_g)


def by_class(
    sums: Iterable[StepSum], classes: Sequence[tuple[str, str]], tolerances: dict[str, int]
) -> list[ClassBalance]:
    """Sums of units added up by class of operation, in the order of the route. classes: (unit, its class) in that order;
    tolerances: unit -> ppm; the widest of a class's units counts."""
    order = {unit: (at, unit_class) for at, (unit, unit_class) in enumerate(classes)}
    known = sorted(sums, key=lambda s: _place(order, s))
    found, whole = [], Fraction(1)
    for (unit_class, operation), group in groupby(known, key=lambda s: (_place(order, s)[1], s.operation)):
        parts = list(group)
        total = add_up(parts)
        whole *= Fraction(total.produced_g, total.charged_g) if total.charged_g else 1
        found.append(
            ClassBalance(
                unit_class,
                operation,
                tuple(dict.fromkeys(part.unit for part in parts)),
                max(tolerances.get(part.unit, 0) for part in parts),
                total,
                _ppm(total.produced_g, total.charged_g),
                _ppm(total.prime_g, total.charged_g),
                round(whole * PPM) if total.charged_g else None,
            )
        )
    return found


def _place(order: dict[str, tuple[int, str]], one: StepSum) -> tuple[int, str, str, str]:
    """First unit of the class in the route's order, so that parallel units stand together."""
    _, unit_class = order.get(one.unit, (len(order), one.unit))
    first = min((at for at, of in order.values() if of == unit_class), default=len(order))
    return first, unit_class, one.operation, one.unit


def add_up(parts: Sequence[StepSum]) -> StepSum:
    """Several sums as one, named after the first."""
    names = ("operations", "charged_g", "added_g", "produced_g", "loss_g", "weighed_loss_g", "prime_g")
    return StepSum(parts[0].unit, parts[0].operation, *(sum(getattr(part, name) for part in parts) for name in names))


@dataclass(frozen=True, slots=True)
class Moved:
    """A line of a closed day that is not what it was when the day was closed; grams."""

    unit: str
    operation: str
    was: StepSum
    now: StepSum

    @property
    def more_charged_g(self) -> int:
        """By how much more is charged now."""
        return self.now.charged_g - self.was.charged_g

    @property
    def more_produced_g(self) -> int:
        """By how much more is produced now."""
        return self.now.produced_g - self.was.produced_g

    @property
    def more_unexplained_g(self) -> int:
        """By how much more is unexplained now."""
        return self.now.unexplained_g - self.was.unexplained_g


def moved_since(closed: Sequence[BalanceLine], now: Iterable[StepSum]) -> list[Moved]:
    """What changed since a day was closed: by a late fact, by a correction."""
    before = {(line.unit, line.operation): line for line in closed}
    after = {(one.unit, one.operation): one for one in now}
    found = []
    for unit, operation in sorted(before.keys() | after.keys()):
        nothing = StepSum(unit, operation, 0, 0, 0, 0, 0)
        line, one = before.get((unit, operation)), after.get((unit, operation), nothing)
        was = _of_line(line) if line else nothing
        if _figures(was) != _figures(one):
            found.append(Moved(unit, operation, was, one))
    return found


def _of_line(line: BalanceLine) -> StepSum:
    figures = line.operations, line.charged_g, line.added_g, line.produced_g, line.loss_g
    return StepSum(line.unit, line.operation, *figures)


def _figures(one: StepSum) -> tuple[int, ...]:
    return one.operations, one.charged_g, one.added_g, one.produced_g, one.loss_g


def _ppm(part: int, whole: int) -> int | None:
    return round(Fraction(part * PPM, whole)) if whole else None
