"""Copies of a database that is in use: SQLite by its own backup, PostgreSQL by pg_dump; and the way back."""

from __future__ import annotations

import sqlite3
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from sqlalchemy import make_url

from shared.errors import BadSetup, Unavailable
from sync.backups.form import make_durable

BUSY_S = 30.0


def copy_sqlite(source: Path, target: Path) -> None:
    """One consistent picture of a database in WAL mode; whoever writes is not held up."""
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with closing(sqlite3.connect(source, timeout=BUSY_S)) as here, closing(sqlite3.connect(target)) as there:
        # all pages in one step: a copy in steps begins anew whenever somebody writes in between
        here.backup(there, pages=-1)
    make_durable(target)


def sqlite_fault(file: Path) -> str:
    """What SQLite says against a file, or ''. The file is opened: ask a copy."""
    try:
        with closing(sqlite3.connect(file, timeout=BUSY_S)) as conn:
            said = conn.execute("PRAGMA integrity_check(1)").fetchone()[0]
    except sqlite3.DatabaseError as error:
        return str(error)
    return "" if said == "ok" else str(said)


def dump_postgres(url: str, target: Path) -> None:
    """One consistent picture of a PostgreSQL database, in pg_dump's custom form."""
    with _address(url) as address:
        _run("pg_dump", "--format=custom", "--no-owner", f"--file={target}", f"--dbname={address}")
    make_durable(target)


def restore_postgres(dump: Path, url: str) -> None:
    """Put a dump into a database, in place of what is there, in one transaction: wholly or not at all."""
    with _address(url) as address:
        options = ("--clean", "--if-exists", "--no-owner", "--single-transaction", "--exit-on-error")
        _run("pg_restore", *options, f"--dbname={address}", str(dump))


@contextmanager
def _address(url: str) -> Iterator[str]:
    """A libpq address; the password lies in a file, because everybody on a machine may read command lines."""
    parsed = make_url(url).set(drivername="postgresql")
    if parsed.password is None:
        yield parsed.render_as_string()
        return
    with tempfile.NamedTemporaryFile("w", prefix="pgpass-") as file:  # made 0600
        file.write(f"*:*:*:*:{_escaped(str(parsed.password))}\n")
        file.flush()
        yield parsed._replace(password=None).update_query_dict({"passfile": file.name}).render_as_string()


def _escaped(password: str) -> str:
    return password.replace("\\", "\\\\").replace(":", "\\:")


def _run(program: str, *arguments: str) -> None:
    try:
        done = subprocess.run([program, *arguments], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise BadSetup(
            "backup.no_program", f"{program} is not installed here.", todo="Install the package postgresql-client."
        ) from None
    if done.returncode:
        raise Unavailable(
            "backup.postgres",
            f"{program} failed: {done.stderr.strip()[-500:]}",
            kept="The database was not changed.",
            todo="Mend what it names; then try again.",
        )
