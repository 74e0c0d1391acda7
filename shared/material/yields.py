"""The cumulative yield of a piece: what was charged for it at each step of its way, back to where its steel is first known.

Each step's own figures (charged, produced) follow the piece through cuts, welds and slits: a coil that two coils were
welded into answers for both. Additions (zinc) are no charge, so a yield above 100 % is legal. Sums first, ratios last.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from sqlalchemy import Connection, Row

from shared.material.queries import operations_of
from shared.material.trace import trace
from shared.material.walk import Step

PPM = 1_000_000
Key = tuple[str, str]
"""Author and operation id."""


@dataclass(frozen=True, slots=True)
class YieldStep:
    """One kind of operation on the way of a piece; grams that belong to the piece, ppm."""

    operation: str
    units: tuple[str, ...]
    charged_g: int
    produced_g: int
    yield_ppm: int
    cumulative_ppm: int
    """From what this step was charged with for the piece to the piece."""


@dataclass(frozen=True, slots=True)
class WayYield:
    """The way of a piece, its last step first; mass_g: what the piece weighed when it was made; needed_g: the steel at the
    beginning of it; cumulative_ppm: None where nothing is known to have been charged for it."""

    mass_g: int
    needed_g: int
    steps: Sequence[YieldStep]
    cumulative_ppm: int | None


def read_yield(conn: Connection, material_id: str) -> WayYield:
    """The way of a piece through every step that is known here."""
    edges = trace(conn, material_id, "backward").edges
    return way_yield(material_id, edges, operations_of(conn, [(e.author, e.operation_id) for e in edges]))


def way_yield(start: str, edges: Sequence[Step], operations: Mapping[Key, Row[Any]]) -> WayYield:
    """The same of a backward trace. What a step was charged with for the piece is as much of its charge as of its
    products; a step without a charge of its own (taken over, a change of identity) passes on what it carried."""
    into: dict[str, list[Step]] = {}
    for edge in edges:
        into.setdefault(edge.child_id, []).append(edge)
    mass = Fraction(sum(edge.mass_g for edge in into.get(start, ())))
    needed = {start: mass}
    done: dict[Key, list[Fraction]] = {}
    for piece in _downstream_first(into, start):
        carried = sum(edge.mass_g for edge in into[piece])
        for edge in into[piece]:
            out = needed[piece] * edge.mass_g / carried if carried else Fraction(0)
            key = edge.author, edge.operation_id
            charged = out * _charge(operations.get(key))
            needed[edge.parent_id] = needed.get(edge.parent_id, Fraction(0)) + charged
            sums = done.setdefault(key, [Fraction(0), Fraction(0)])
            sums[0], sums[1] = sums[0] + charged, sums[1] + out
    roots = sum((grams for piece, grams in needed.items() if piece not in into), Fraction(0))
    steps = _steps(mass, done, operations)
    return WayYield(round(mass), round(roots), steps, round(mass * PPM / roots) if steps and roots else None)


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


def _steps(
    mass: Fraction, done: Mapping[Key, Sequence[Fraction]], operations: Mapping[Key, Row[Any]]
) -> list[YieldStep]:
    by_kind: dict[str, list[Key]] = {}
    for key in done:  # in the order of the way, from the piece on
        if key in operations:
            by_kind.setdefault(operations[key].operation, []).append(key)
    found, lost = [], Fraction(0)
    for operation, keys in by_kind.items():
        charged, produced = (sum((done[key][at] for key in keys), Fraction(0)) for at in (0, 1))
        lost += charged - produced
        if charged and mass + lost > 0:
            units = tuple(sorted({operations[key].unit for key in keys}))
            own, whole = round(produced * PPM / charged), round(mass * PPM / (mass + lost))
            found.append(YieldStep(operation, units, round(charged), round(produced), own, whole))
    return found
