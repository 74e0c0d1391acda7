"""Fixtures for all rooms: a still clock, fresh databases, journals."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, text

from shared.clock import FixedClock
from shared.db.engine import open_engine
from shared.db.types import metadata
from shared.journal.apply import Appliers
from shared.journal.journal import Journal

DAY_D_MS = 1_773_205_200_000
"""2026-03-11T05:00:00Z, the start of the scenario's day."""


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


def _as_other_user() -> list[str]:
    """PostgreSQL refuses to run as root: then it runs as the user that its package made, or as nobody."""
    if os.geteuid() != 0:
        return []
    names = {entry.pw_name for entry in pwd.getpwall()}
    return ["runuser", "-u", "postgres" if "postgres" in names else "nobody", "--"]


@pytest.fixture(scope="session")
def postgres_cluster() -> Iterator[str]:
    """A private PostgreSQL on a unix socket, fsync off; the URL of its maintenance database."""
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not programs:
        pytest.skip("no PostgreSQL server programs on this machine")
    bin_folder, user = programs[-1].parent, _as_other_user()
    folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))
    if user:
        shutil.chown(folder, user[2])
    data = folder / "data"
    options = f"-c fsync=off -c synchronous_commit=off -c full_page_writes=off -c listen_addresses='' -k {folder}"
    try:
        subprocess.run(
            [*user, bin_folder / "initdb", "-D", data, "-U", "strandline", "-A", "trust", "-E", "UTF8"],
            check=True,
            capture_output=True,
            cwd=folder,
        )
        subprocess.run(
            [*user, bin_folder / "pg_ctl", "-D", data, "-w", "-o", options, "-l", folder / "log", "start"],
            check=True,
            capture_output=True,
            cwd=folder,
        )
        yield f"postgresql+psycopg://strandline@/postgres?host={folder}"
        subprocess.run(
            [*user, bin_folder / "pg_ctl", "-D", data, "-w", "-m", "immediate", "stop"],
            check=True,
            capture_output=True,
            cwd=folder,
        )
    finally:
        shutil.rmtree(folder, ignore_errors=True)


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
