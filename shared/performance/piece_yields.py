"""The cumulative yield of a piece: what was charged for it at each step of its way, back to where its steel is first known.

Each step's own figures (charged, produced) follow the piece through cuts, welds and slits: a coil that two coils were
welded into answers for both. Additions (zinc) are no charge, so a yield above 100 % is legal. What the unit lost whole
that day (cobbles) belongs to what it made that day; what is prime is told by the same words as in the day's balance.
Sums first, ratios last.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from sqlalchemy import Connection, Row

from shared.material.queries import operations_of
from shared.material.trace import trace
from shared.material.walk import Step
from shared.performance.lost_whole import lost_for_products
from shared.quality.prime import prime_pieces

PPM = 1_000_000
Key = tuple[str, str]
"""Author and operation id."""


@dataclass(frozen=True, slots=True)
class YieldStep:
    """One kind of operation on the way of a piece; grams that belong to the piece, ppm.

    lost_g: of the charge, pieces that the unit lost whole; prime_g: of what came out, what nothing speaks against.
    """

    operation: str
    units: tuple[str, ...]
    charged_g: int
    produced_g: int
    yield_ppm: int
    cumulative_ppm: int
    """From what this step was charged with for the piece to the piece."""
    lost_g: int
    prime_g: int
    prime_ppm: int


@dataclass(frozen=True, slots=True)
class WayYield:
    """The way of a piece, its last step first; mass_g: what the piece weighed when it was made; needed_g: the steel at the
    beginning of it; cumulative_ppm: None where nothing is known to have been charged for it; prime_ppm: of the same steel
    what is prime of the piece, all or nothing."""

    mass_g: int
    needed_g: int
    steps: Sequence[YieldStep]
    cumulative_ppm: int | None
    prime_ppm: int | None = None


@dataclass(frozen=True, slots=True)
class Beside:
    """What no operation says itself: grams lost whole for a gram made, and (author, piece) of all that is prime."""

    lost: Mapping[Key, Fraction]
    prime: Collection[tuple[str, str]]


NOTHING = Beside({}, ())


@dataclass(slots=True)
class _Sums:
    charged: Fraction = Fraction(0)
    produced: Fraction = Fraction(0)
    lost: Fraction = Fraction(0)
    prime: Fraction = Fraction(0)

    def add(self, other: _Sums) -> None:
        self.charged, self.produced = self.charged + other.charged, self.produced + other.produced
        self.lost, self.prime = self.lost + other.lost, self.prime + other.prime


def read_yield(conn: Connection, material_id: str) -> WayYield:
    """The way of a piece through every step that is known here."""
    edges = trace(conn, material_id, "backward").edges
    operations = operations_of(conn, [(e.author, e.operation_id) for e in edges])
    beside = Beside(lost_for_products(conn, operations), prime_pieces(conn, [e.child_id for e in edges]))
    return way_yield(material_id, edges, operations, beside)


def way_yield(
    start: str, edges: Sequence[Step], operations: Mapping[Key, Row[Any]], beside: Beside = NOTHING
) -> WayYield:
    """The same of a backward trace. What a step was charged with for the piece is as much of its charge as of its
    products; a step without a charge of its own (taken over, a change of identity) passes on what it carried."""
    into: dict[str, list[Step]] = {}
    for edge in edges:
        into.setdefault(edge.child_id, []).append(edge)
    mass = Fraction(sum(edge.mass_g for edge in into.get(start, ())))
    needed = {start: mass}
    done: dict[Key, _Sums] = {}
    for piece in _downstream_first(into, start):
        carried = sum(edge.mass_g for edge in into[piece])
        for edge in into[piece]:
            out = needed[piece] * edge.mass_g / carried if carried else Fraction(0)
            step = _step(edge, out, operations, beside)
            needed[edge.parent_id] = needed.get(edge.parent_id, Fraction(0)) + step.charged
            done.setdefault((edge.author, edge.operation_id), _Sums()).add(step)
    roots = sum((grams for piece, grams in needed.items() if piece not in into), Fraction(0))
    steps = _steps(mass, done, operations)
    whole = round(mass * PPM / roots) if steps and roots else None
    is_prime = any((edge.author, start) in beside.prime for edge in into.get(start, ()))
    return WayYield(round(mass), round(roots), steps, whole, whole and whole * is_prime)


def _step(edge: Step, out: Fraction, operations: Mapping[Key, Row[Any]], beside: Beside) -> _Sums:
    key = edge.author, edge.operation_id
    lost = out * beside.lost.get(key, 0)
    return _Sums(
        out * _charge(operations.get(key)) + lost, out, lost, out * ((edge.author, edge.child_id) in beside.prime)
    )


def _charge(operation: Row[Any] | None) -> Fraction:
    """Grams charged for a gram of product."""
    if operation is None or not operation.charged_g or not operation.produced_g:
        return Fraction(1)
    return Fraction(operation.charged_g, operation.produced_g)


def _downstream_first(into: Mapping[str, Sequence[Step]], start: str) -> Iterable[str]:
    """Pieces that have parents, each after all that were made of it; those in a circle of two authors are left out."""
    waiting: dict[str, int] = {}
    for steps in into.values():
        for edge in steps:
            waiting[edge.parent_id] = waiting.get(edge.parent_id, 0) + 1
    front = [start] if start in into else []
    while front:
        piece = front.pop()
        yield piece
        for edge in into[piece]:
            waiting[edge.parent_id] -= 1
            if not waiting[edge.parent_id] and edge.parent_id in into:
                front.append(edge.parent_id)


def _steps(mass: Fraction, done: Mapping[Key, _Sums], operations: Mapping[Key, Row[Any]]) -> list[YieldStep]:
    by_kind: dict[str, list[Key]] = {}
    for key in done:  # in the order of the way, from the piece on
        if key in operations:
            by_kind.setdefault(operations[key].operation, []).append(key)
    found, gone = [], Fraction(0)
    for operation, keys in by_kind.items():
        sums = _Sums()
        for key in keys:
            sums.add(done[key])
        gone += sums.charged - sums.produced
        if sums.charged and mass + gone > 0:
            units = tuple(sorted({operations[key].unit for key in keys}))
            found.append(
                YieldStep(
                    operation,
                    units,
                    round(sums.charged),
                    round(sums.produced),
                    round(sums.produced * PPM / sums.charged),
                    round(mass * PPM / (mass + gone)),
                    round(sums.lost),
                    round(sums.prime),
                    round(sums.prime * PPM / sums.charged),
                )
            )
    return found
