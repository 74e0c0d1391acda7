"""A release reaches every plant that has a line within a minute, as each has it with its next exchange."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from central_hub.conformance.service import read_matrix
from shared.db.engine import read

MINUTE_S = 60.0


@pytest.mark.parametrize("many", [3, pytest.param(20, marks=pytest.mark.slow)])
def test_a_release_is_in_force_at_every_plant_within_a_minute(group: Any, tmp_path: Path, many: int) -> None:
    others = [group.one_more(f"P{n:02}", tmp_path / f"p{n:02}") for n in range(1, many)]
    group.release("R-GISLIT-v7", "QR-CHE-01-v5", "KPI-YLD-v2", scope={})
    released = time.monotonic()
    for plant in (group, *others):
        plant.sync()
    assert time.monotonic() - released < MINUTE_S
    with read(group.hub.node.engine) as conn:
        matrix = read_matrix(conn, group.hub)
    assert {cell.state for cell in matrix.cells.values()} == {"runs_it"}
    assert len(matrix.cells) == 3 * many
    assert len({column.effective_hash for column in matrix.plants}) == 1, "the same equipment, the same set"
    for plant in others:
        plant.plant.node.engine.dispose()
        plant.plant.spool.dispose()
