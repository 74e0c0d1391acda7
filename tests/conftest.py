"""Fixtures for all rooms: a still clock, fresh databases, journals."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, text

from shared.clock import FixedClock
from shared.db.engine import open_engine
from shared.db.types import metadata
from shared.interpreter import tune
from shared.journal.apply import Appliers
from shared.journal.journal import Journal
from tools.postgres import find_programs, temporary_cluster

sys.path.insert(0, str(Path(__file__).parent / "support"))
from memory_folder import use_memory
from quick_passwords import quick_passwords
from ready_tables import ready_tables

tune()  # as every process of the product; a sixth of all tests' time

DAY_D_MS = 1_773_205_200_000
"""2026-03-11T05:00:00Z, the start of the scenario's day."""

LONG = (
    "test_judge_can_fail.py",
    "test_looks.py",
    "test_small_day.py",
    "test_deeds.py",
    "test_campaign.py",
    "test_kill_points.py",
    "test_opcua_link.py",
    "test_opcua_signals.py",
    "test_reconciliation.py",
    "test_transfers_campaign.py",
    "test_device_printing.py",
    "test_edge_processes.py",
    "test_edge_looks.py",
    "test_wrong_input.py",
    "test_telegram_replay.py",
    "test_namespaces.py",
    "test_sync_pressure.py",
    "test_sync_kill.py",
    "test_backlog.py",
    "test_migrations.py",
    "test_telegram_kills.py",
    "test_opcua_security.py",
    "test_soak.py",
)
"""Files of ten seconds and more. They begin before all others, so that at the end no worker is left with one of them
while the other has nothing to do."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The order in which `make test` gives files to its workers."""
    place = {name: at for at, name in enumerate(LONG)}
    items.sort(key=lambda item: place.get(item.path.name, len(LONG)))


@pytest.hookimpl(tryfirst=True)  # before pytest itself looks where its folders go
def pytest_configure() -> None:
    use_memory()


@pytest.fixture(scope="session", autouse=True)
def _quick_ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with ready_tables(tmp_path_factory.mktemp("ready")), quick_passwords():
        yield


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(DAY_D_MS)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    made = open_engine(f"sqlite:///{tmp_path / 'node.sqlite'}")
    metadata.create_all(made)
    yield made
    made.dispose()


@pytest.fixture
def make_journal(engine: Engine, clock: FixedClock) -> Callable[..., Journal]:
    """make_journal("ALD", register, ...) -> a journal on the fresh database with these subjects' appliers."""

    def make(code: str, *registers: Callable[[Appliers], None]) -> Journal:
        appliers = Appliers()
        for register in registers:
            register(appliers)
        return Journal(code, engine, clock, appliers)

    return make


@pytest.fixture(scope="session")
def postgres_cluster() -> Iterator[str]:
    """A private PostgreSQL on a unix socket, fsync off; the URL of its maintenance database."""
    programs = find_programs()
    if programs is None:
        pytest.skip("no PostgreSQL server programs on this machine")
    with temporary_cluster(programs, fsync=False) as url:
        yield url


@pytest.fixture
def postgres_url(postgres_cluster: str, request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of a database of this test's own."""
    name = f"t{abs(hash(request.node.nodeid)) % 10**12}"
    admin = create_engine(postgres_cluster, isolation_level="AUTOCOMMIT")
    with admin.connect() as conn:
        conn.execute(text(f"CREATE DATABASE {name}"))
    yield postgres_cluster.replace("@/postgres?", f"@/{name}?")
    with admin.connect() as conn:
        conn.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()
