"""A journal on a real database with the appliers of material."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from shared.clock import FixedClock
from shared.db.engine import open_engine
from shared.db.types import metadata
from shared.journal.apply import Appliers
from shared.journal.journal import Journal
from shared.material import projection

START_MS = 1_773_216_000_000


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(START_MS)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """Both databases: the same code has to give the same rows."""
    on_file = request.param == "sqlite"
    opened = open_engine(
        f"sqlite:///{tmp_path / 'node.sqlite'}" if on_file else request.getfixturevalue("postgres_url")
    )
    metadata.create_all(opened)
    yield opened
    opened.dispose()


@pytest.fixture
def journal(engine: Engine, clock: FixedClock) -> Journal:
    appliers = Appliers()
    projection.register(appliers)
    return Journal("BRK", engine, clock, appliers)
