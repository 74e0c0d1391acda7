"""Finds the bench, and sets the two up on it."""

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from edge_bench import Two, make_both

from shared.clock import FixedClock

BEGIN_MS = 1_773_205_200_000


@pytest.fixture(scope="session")
def both(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folders after the first starts, to be copied."""
    folder = tmp_path_factory.mktemp("both")
    make_both(folder, FixedClock(BEGIN_MS))
    return folder


@pytest.fixture
def two(both: Path, tmp_path: Path, clock: FixedClock) -> Iterator[Two]:
    """A plant and its edge that are enrolled at each other."""
    shutil.copytree(both, tmp_path, dirs_exist_ok=True)
    made = Two(tmp_path, clock, FixedClock(clock.now_ms()))
    made.enrol()
    yield made
    made.close_plant()
    made.edge.node.engine.dispose()
    made.edge.spool.dispose()
