"""Copies of a database that is in use: SQLite by its own backup, PostgreSQL by pg_dump; and the way back."""

from __future__ import annotations

import sqlite3
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from sqlalchemy import make_url

from shared.errors import BadSetup, Unavailable
from sync.backups.form import make_durable

BUSY_S = 30.0

_EMPTY = """
SET LOCAL client_min_messages = warning;
DO $$
DECLARE
    words text;
BEGIN
    SELECT string_agg(format('DROP %s IF EXISTS %s CASCADE', kind, name), ';' ORDER BY turn) INTO words
    FROM (
        SELECT 1 AS turn, 'pg_class'::regclass AS listed, oid, relnamespace AS lies, oid::regclass::text AS name,
            CASE relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END
            AS kind
        FROM pg_class WHERE relkind IN ('r', 'p', 'v', 'm', 'S')
        UNION ALL
        SELECT 2, 'pg_proc'::regclass, oid, pronamespace, oid::regprocedure::text, 'ROUTINE' FROM pg_proc
        UNION ALL
        SELECT 3, 'pg_type'::regclass, oid, typnamespace, oid::regtype::text, 'TYPE' FROM pg_type
        WHERE typtype IN ('e', 'd')
    ) AS ours
    WHERE lies = current_schema()::regnamespace
        AND NOT EXISTS (
            SELECT FROM pg_depend WHERE classid = ours.listed AND objid = ours.oid AND deptype IN ('e', 'i', 'a')
        );
    IF words IS NOT NULL THEN
        EXECUTE words;
    END IF;
END $$;
"""
"""Drops tables, views, sequences, routines and types of the schema, but those of an extension; what belongs to a table goes
with it."""


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
    """Put a dump into a database, in place of all that is there, in one transaction: wholly or not at all.

    pg_restore alone would leave what the dump does not know, such as the tables of a newer release, over which the next
    upgrade falls. So it only writes the statements, and psql executes them in a transaction that empties the schema before
    and is committed after: where the statements break off there is no commit.
    """
    with _address(url) as address, tempfile.TemporaryFile() as said:
        options = ("--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", f"--dbname={address}")
        with _started("psql", *options, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=said) as psql:
            assert psql.stdin is not None
            fault = _feed(dump, psql.stdin)
        said.seek(0)
        words = said.read().decode(errors="replace")
    if psql.returncode:
        raise _failed("psql", words)
    if fault:
        raise _failed("pg_restore", fault)


def _feed(dump: Path, into: IO[bytes]) -> str:
    """Write the whole transaction to psql; what pg_restore says against the dump, or ''."""
    options = ("--clean", "--if-exists", "--no-owner", "--file=-")
    with suppress(BrokenPipeError), into:  # psql ended before: it says why
        into.write(f"BEGIN;\n{_EMPTY}\n".encode())
        into.flush()
        with _started("pg_restore", *options, str(dump), stdout=into, stderr=subprocess.PIPE) as reading:
            fault = reading.communicate()[1].decode(errors="replace")
        if reading.returncode:
            return fault or "it broke off"
        into.write(b"COMMIT;\n")
        into.flush()
        return ""
    return "psql took no more"


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
    with _started(program, *arguments, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as running:
        words = running.communicate()[1].decode(errors="replace")
    if running.returncode:
        raise _failed(program, words)


def _started(program: str, *arguments: str, **streams: Any) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen([program, *arguments], **streams)
    except FileNotFoundError:
        raise BadSetup(
            "backup.no_program", f"{program} is not installed here.", todo="Install the package postgresql-client."
        ) from None


def _failed(program: str, words: str) -> Unavailable:
    return Unavailable(
        "backup.postgres",
        f"{program} failed: {words.strip()[-500:]}",
        kept="The database was not changed.",
        todo="Mend what it names; then try again.",
    )
