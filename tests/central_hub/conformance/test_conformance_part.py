from __future__ import annotations

from typing import Any

import pytest

from central_hub.conformance.domain import Cell
from central_hub.conformance.part import COLUMNS, ROWS, Part, differing, part_of
from central_hub.conformance.service import Matrix, PlantColumn

PLANTS = tuple(PlantColumn(f"P{n:02d}", "", None, None, "", None, False) for n in range(COLUMNS + 3))
NAMES = tuple(f"R-{n:03d}" for n in range(ROWS * 2 + 1))


def matrix(**states: Any) -> Matrix:
    """Everything runs as published but for "R-001/P02": state."""
    cells = {
        (name, plant.code): Cell(name, plant.code, states.get(f"{name}/{plant.code}", "runs_it"), 1, 1, 5)
        for name in NAMES
        for plant in PLANTS
    }
    return Matrix(PLANTS, NAMES, cells, dict.fromkeys(NAMES, "routing"))


def names(part: Part) -> tuple[list[str], list[str]]:
    return list(part.standards), [plant.code for plant in part.plants]


def test_a_page_holds_what_fits_a_screen_and_says_where_the_next_begins() -> None:
    part = part_of(matrix(), "", "", 0, 0)
    assert (len(part.standards), len(part.plants)) == (ROWS, COLUMNS)
    assert (part.rows.before, part.rows.after, part.columns.after) == (None, ROWS, COLUMNS)
    last = part_of(matrix(), "", "", ROWS * 2, COLUMNS)
    assert names(last) == (["R-050"], ["P06", "P07", "P08"])
    assert (last.rows.before, last.rows.after, last.columns.before, last.columns.after) == (ROWS, None, 0, None)


def test_a_state_leaves_the_standards_and_plants_that_have_it() -> None:
    one = matrix(**{"R-001/P02": "drift", "R-044/P08": "drift"})
    assert names(part_of(one, "drift", "", 0, 0)) == (["R-001", "R-044"], ["P02", "P08"])
    assert names(part_of(one, "drift", "r-04", 0, 0)) == (["R-044"], ["P08"])


@pytest.mark.parametrize("place", [999_999, 51, 50])
def test_an_address_of_a_page_that_is_gone_shows_the_last_one(place: int) -> None:
    assert names(part_of(matrix(), "", "", place, 0))[0] == ["R-050"]
    assert names(part_of(matrix(), "refused", "", place, place)) == ([], [])


def test_what_differs_is_listed_the_worst_first() -> None:
    one = matrix(**{"R-001/P02": "away", "R-044/P08": "drift", "R-003/P00": "not_for_it"})
    assert [cell.state for cell in differing(one, 10)] == ["drift", "away"]
    assert len(differing(one, 1)) == 1
    assert (one.count("drift", "away"), one.count("runs_it")) == (2, len(NAMES) * len(PLANTS) - 3)
