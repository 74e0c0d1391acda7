"""A private PostgreSQL for tests and timings: a cluster in a temporary folder, on a unix socket, gone afterwards."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PORT = 5432
"""Also without a network a cluster has a port: the name of its socket."""


def find_programs() -> Path | None:
    """The folder of the newest PostgreSQL server programs on this machine, or None."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    return found[-1].parent if found else None


@contextmanager
def temporary_cluster(
    programs: Path, *, fsync: bool, port: int = 0, wal_level: str = "replica", preload: str = ""
) -> Iterator[str]:
    """Start a cluster and give the URL of its maintenance database (user strandline).

    It listens on a unix socket; with a port also on that of loopback. preload: a library that the server starts with.
    """
    user = other_user()
    folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))  # short: a socket's path has at most 107 characters
    if user:
        shutil.chown(folder, user[2])
    data, durable = folder / "data", "on" if fsync else "off"
    options = (
        f"-c fsync={durable} -c synchronous_commit={durable} -c full_page_writes={durable}"
        f" -c listen_addresses='{'127.0.0.1' if port else ''}' -c port={port or PORT} -c wal_level={wal_level}"
        f" -k {folder}" + (f" -c shared_preload_libraries={preload}" if preload else "")
    )
    control = [*user, str(programs / "pg_ctl"), "-D", str(data), "-w"]
    try:
        _run(
            [*user, str(programs / "initdb"), "-D", str(data), "-U", "strandline", "-A", "trust", "-E", "UTF8"], folder
        )
        _run([*control, "-o", options, "-l", str(folder / "log"), "start"], folder)
        try:
            yield f"postgresql+psycopg://strandline@/postgres?host={folder}" + (f"&port={port}" if port else "")
        finally:
            _run([*control, "-m", "immediate", "stop"], folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def other_user() -> list[str]:
    """PostgreSQL refuses to run as root: then it runs as the user that its package made, or as nobody."""
    if os.geteuid() != 0:
        return []
    names = {entry.pw_name for entry in pwd.getpwall()}
    return ["runuser", "-u", "postgres" if "postgres" in names else "nobody", "--"]


def _run(command: list[str], folder: Path) -> None:
    subprocess.run(command, check=True, capture_output=True, cwd=folder)
