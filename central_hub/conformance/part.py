"""The part of the matrix that a page shows: some standards by some plants, of those that somebody looks for. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from central_hub.conformance.domain import Cell
from central_hub.conformance.service import Matrix, PlantColumn

ROWS, COLUMNS = 25, 6
"""What fits on a screen of 1280 px without scrolling sideways."""
T = TypeVar("T")


@dataclass(frozen=True)
class Window:
    """A run of a longer list; before and after: where the neighbouring runs begin, None at an end."""

    first: int
    last: int
    of: int
    before: int | None
    after: int | None


@dataclass(frozen=True)
class Part:
    """Standards by plants as shown, and where they stand among those that match."""

    standards: Sequence[str]
    plants: Sequence[PlantColumn]
    rows: Window
    columns: Window


def part_of(matrix: Matrix, state: str, query: str, row: int, column: int) -> Part:
    """The part from that row and column on; with a state only standards and plants that have a cell in it."""
    names = [name for name in matrix.standards if query.upper() in name]
    plants = matrix.plants
    if state:
        hit = [cell for cell in matrix.cells.values() if cell.state == state and query.upper() in cell.standard_id]
        names = [name for name in names if name in {cell.standard_id for cell in hit}]
        plants = tuple(plant for plant in plants if plant.code in {cell.plant for cell in hit})
    shown, rows = _shown(names, row, ROWS)
    across, columns = _shown(plants, column, COLUMNS)
    return Part(shown, across, rows, columns)


def differing(matrix: Matrix, most: int) -> list[Cell]:
    """The cells that are not as the group wants them, drift and refusals first."""
    order = ("drift", "refused", "declined", "overdue", "deviates", "extra", "asked", "agreed", "on_its_way", "away")
    rank = {state: n for n, state in enumerate(order)}
    found = [cell for cell in matrix.cells.values() if cell.state in rank]
    return sorted(found, key=lambda cell: (rank[cell.state], cell.standard_id, cell.plant))[:most]


def _shown(items: Sequence[T], first: int, most: int) -> tuple[Sequence[T], Window]:
    first = max(0, min(first, (len(items) - 1) // most * most))
    last = min(first + most, len(items))
    before = max(0, first - most) if first else None
    return items[first:last], Window(first, last, len(items), before, last if last < len(items) else None)
