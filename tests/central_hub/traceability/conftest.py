"""The group of three plants and a hub for tests of transfers."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.clock import FixedClock

sys.path.insert(0, str(Path(__file__).parents[2] / "support"))

from steel_group import SteelGroup


@pytest.fixture
def group(tmp_path: Path, clock: FixedClock) -> Iterator[SteelGroup]:
    made = SteelGroup(tmp_path, clock)
    yield made
    made.close()
