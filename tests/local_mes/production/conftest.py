"""Benches of the mill and of the finishing plant."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.clock import FixedClock

sys.path.insert(0, str(Path(__file__).parent))

from production_bench import Bench, make_bench


@pytest.fixture
def mill(tmp_path: Path, clock: FixedClock) -> Iterator[Bench]:
    bench = make_bench("BRK", tmp_path, clock)
    yield bench
    bench.plant.node.engine.dispose()
    bench.plant.spool.dispose()


@pytest.fixture
def finishing(tmp_path: Path, clock: FixedClock) -> Iterator[Bench]:
    bench = make_bench("CLD", tmp_path, clock)
    yield bench
    bench.plant.node.engine.dispose()
    bench.plant.spool.dispose()
