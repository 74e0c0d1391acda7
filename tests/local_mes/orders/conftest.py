"""A melt shop in which nothing was cast yet."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.clock import FixedClock

sys.path.insert(0, str(Path(__file__).parents[1] / "production"))

from production_bench import Bench, make_bench


@pytest.fixture
def planned(tmp_path: Path, clock: FixedClock) -> Iterator[Bench]:
    bench = make_bench("ALD", tmp_path, clock)
    bench.order("710047/10", "DX51D+Z275-M-A coil", "R-GI")
    yield bench
    bench.plant.node.engine.dispose()
    bench.plant.spool.dispose()
