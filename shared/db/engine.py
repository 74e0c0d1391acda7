"""Engines and transactions, alike on SQLite (WAL, FULL, foreign keys, immediate writes) and PostgreSQL (psycopg 3, commits that
wait for the disk)."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, ExceptionContext, RootTransaction, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError

from shared import storage
from shared.db.driver import BEGIN_TO_WRITE, begin, commit, execute, is_busy, transaction_is_over
from shared.db.plans import plan_anew
from shared.db.writers import WriterPool
from shared.errors import BadSetup, Unavailable

BUSY_TIMEOUT_MS = 30_000
"""How long a writer waits for another on SQLite: longer than any transaction we hold."""

LOG_PAGES = 4_000
"""Pages of 4 KiB in SQLite's log before they are taken into the file, which waits for the disk twice: an operation writes
about forty, most of them the same ones again, so that a longer log costs fewer waits and fewer writes."""

LOG_BYTES_LEFT = 64 * 1_048_576
"""What SQLite's log keeps of the disk once it was taken into the file: one long transaction (a history that comes back, a
rebuild) makes it as long as itself, and its room would never be given back. Four times what work needs."""

STATEMENTS_KEPT = 500
"""Statements each SQLite connection keeps ready; a plant has a few hundred, and to read one anew costs more than to run it."""

HIDE = True
"""Errors of the database are logged without the values they were about: hashes, tokens and names stay out of logs."""

_PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=FULL",
    "foreign_keys=ON",
    f"busy_timeout={BUSY_TIMEOUT_MS}",
    f"wal_autocheckpoint={LOG_PAGES}",
    f"journal_size_limit={LOG_BYTES_LEFT}",
)


def open_engine(url: str) -> Engine:
    """An engine for sqlite:///file or postgresql://...; the folder of a SQLite file must exist and be writable."""
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise BadSetup(  # not shown: it may hold a password
            "db.bad_url", "database_url is no database address.", todo="Use sqlite:///FILE or postgresql://…"
        ) from error
    if parsed.get_backend_name() == "sqlite":
        return _open_sqlite(url, parsed.database)
    engine = create_engine(url, pool_size=10, max_overflow=20, pool_pre_ping=True, hide_parameters=HIDE)
    _commit_durably(engine)
    plan_anew(engine)
    return engine


def _commit_durably(engine: Engine) -> None:
    """On PostgreSQL a commit is on the disk when it returns, however the server is tuned: receipts are signed by it."""

    @event.listens_for(engine, "connect")
    def on_connect(connection: Any, _record: Any) -> None:
        connection.execute(
            "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'"
        )
        connection.commit()


def _open_sqlite(url: str, file: str | None) -> Engine:
    if file and file != ":memory:" and not Path(file).parent.is_dir():
        raise BadSetup("db.no_folder", f"The folder {Path(file).parent} does not exist.", todo="Run init first.")
    engine = create_engine(
        url,
        connect_args={
            "check_same_thread": False,
            "timeout": BUSY_TIMEOUT_MS / 1000,
            "cached_statements": STATEMENTS_KEPT,
        },
        poolclass=WriterPool,
        pool_size=20,
        max_overflow=60,
        hide_parameters=HIDE,
    )
    tune_sqlite(engine)
    return engine


def tune_sqlite(engine: Engine) -> None:
    """Have every connection of a SQLite engine behave as ours do: our own BEGIN, WAL, FULL, foreign keys."""

    @event.listens_for(engine, "connect")
    def on_connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves
        for pragma in _PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def on_begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("writes", False)
        execute(connection, BEGIN_TO_WRITE if writes else "BEGIN", ())

    @event.listens_for(engine, "handle_error")
    def on_error(context: ExceptionContext) -> None:
        if context.connection is not None and transaction_is_over(context.connection):
            context.is_disconnect = True
            context.invalidate_pool_on_disconnect = False  # the others are as good as they were


@contextmanager
def write(engine: Engine) -> Iterator[Connection]:
    """One write transaction: committed at the end, rolled back on any error. NoRoom, ReadOnlyDisk."""
    pool, handled = engine.pool, sys.exception()
    connection: Connection | None = None
    try:
        connection, ends = _begin(engine)
        with ends or nullcontext():
            yield connection
            if connection.invalidated or transaction_is_over(connection):
                raise Unavailable(
                    "db.ended_itself", "The database gave the transaction up on an error.", todo="Do it again."
                )
            if ends is None:
                commit(connection)
    except BaseException as error:
        if connection is not None:
            connection.close()
        _check_storage(error, handled)
        raise
    if ends is None and isinstance(pool, WriterPool) and engine.pool is pool:
        pool.keep(connection)
    else:
        connection.close()


def _begin(engine: Engine) -> tuple[Connection, RootTransaction | None]:
    """A connection that may write now, and what ends its transaction; None: the driver does, of one that is to be kept.

    A kept connection is in a transaction for SQLAlchemy as long as it lives, which begins and ends none of SQLite's: it
    takes as long for that as SQLite for a small one. One that cannot begin any more gives way to a fresh one: nothing was
    done.
    """
    pool = engine.pool
    kept = pool.take() if isinstance(pool, WriterPool) else None
    if kept is not None:
        try:
            begin(kept)
        except DBAPIError as error:
            if is_busy(error):
                kept.close()
                raise  # it is sound, and has waited as long as any other would
            kept.invalidate(error)
            kept.close()
        else:
            return kept, None
    fresh = _reach(engine).execution_options(writes=True)
    try:
        begun = fresh.begin()
    except BaseException:
        fresh.close()
        raise
    return fresh, None if isinstance(pool, WriterPool) else begun


def _check_storage(error: BaseException, handled: BaseException | None) -> None:
    """Raise what an error, or one that it came of, says of storage; `handled` was there before and is no part of it.

    Where SQLite gives up a transaction within a savepoint, the last error only says that the savepoint is gone.
    """
    found: BaseException | None = error
    while found is not None and found is not handled:
        if isinstance(found, DBAPIError):
            storage.check(found.orig)
        found = found.__context__


@contextmanager
def read(engine: Engine) -> Iterator[Connection]:
    """One read transaction: a stable picture, never blocks a writer on SQLite."""
    with _reach(engine) as connection, connection.begin():
        yield connection


@contextmanager
def picture(engine: Engine) -> Iterator[Connection]:
    """A read transaction whose statements all see the database as the first one did, on PostgreSQL too."""
    connection = _reach(engine)
    if connection.dialect.name == "postgresql":
        connection = connection.execution_options(isolation_level="REPEATABLE READ")
    with connection, connection.begin():
        yield connection


def _reach(engine: Engine) -> Connection:
    try:
        return engine.connect()
    except OperationalError as error:
        storage.check(error.orig)
        if engine.dialect.name == "sqlite" and engine.url.database:
            storage.check_folder(Path(engine.url.database).parent)
        raise Unavailable(
            "db.away", f"The database cannot be reached: {error.orig}.", todo="Start it; then retry."
        ) from error
