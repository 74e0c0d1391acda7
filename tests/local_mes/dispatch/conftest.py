"""A plant with a customer, an order of theirs, and coils: for tests of what leaves the group."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.clock import FixedClock

sys.path.insert(0, str(Path(__file__).parents[2] / "support"))

from outside_bench import OutsideBench


@pytest.fixture
def bench(tmp_path: Path, clock: FixedClock) -> Iterator[OutsideBench]:
    made = OutsideBench(tmp_path, clock)
    yield made
    made.close()
