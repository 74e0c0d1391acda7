"""Write transactions that SQLite gives up by itself, connections that can no longer begin, and the log's room."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Column, Connection, Engine, Integer, LargeBinary, MetaData, Table, func, insert, select
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from shared.db import engine as engines
from shared.db.driver import execute
from shared.db.engine import open_engine, read, write
from shared.errors import Unavailable
from shared.storage import NoRoom

MEBI = 1 << 20
Step = Callable[[Connection], None]
piece = Table("broken_piece", MetaData(), Column("piece", Integer, primary_key=True), Column("body", LargeBinary))


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Engine]:
    made = open_engine(f"sqlite:///{tmp_path / 'd.sqlite'}")
    piece.create(made)
    yield made
    made.dispose()


def count(database: Engine) -> int:
    with read(database) as conn:
        return conn.execute(select(func.count()).select_from(piece)).scalar_one()


def work(database: Engine, *steps: Step) -> None:
    with write(database) as conn:
        for step in steps:
            step(conn)


def add(conn: Connection) -> None:
    conn.execute(insert(piece))


def by_sqlalchemy(conn: Connection) -> None:
    conn.execute(insert(piece).values(body=bytes(MEBI)))


def by_the_driver(conn: Connection) -> None:
    execute(conn, "INSERT INTO broken_piece (body) VALUES (zeroblob(1048576))", ())


def no_more_room(conn: Connection) -> None:
    """A full database without a full disk: SQLite ends the transaction by itself on both."""
    pages = conn.exec_driver_sql("PRAGMA page_count").scalar_one()
    conn.exec_driver_sql(f"PRAGMA max_page_count = {pages + 3}")


def swallowing(fill: Step) -> Step:
    def step(conn: Connection) -> None:
        with pytest.raises(OperationalError, match="full"):
            fill(conn)
        with pytest.raises(SQLAlchemyError):
            add(conn)  # it would be committed by itself

    return step


def in_a_savepoint(fill: Step) -> Step:
    def step(conn: Connection) -> None:
        with conn.begin_nested():
            fill(conn)

    return step


def in_other_words(conn: Connection) -> None:
    try:
        by_sqlalchemy(conn)
    except OperationalError:
        raise LookupError("no such savepoint")  # noqa: B904 - as code does that undoes what is undone


def of_its_own(_conn: Connection) -> None:
    raise LookupError("of its own")


def end_unseen(conn: Connection) -> None:
    driver: Any = conn.connection.dbapi_connection
    driver.execute("ROLLBACK")


@pytest.mark.parametrize("fill", [by_sqlalchemy, by_the_driver])
def test_of_a_transaction_that_sqlite_ended_nothing_is_committed(database: Engine, fill: Step) -> None:
    with pytest.raises(Unavailable):
        work(database, add, no_more_room, swallowing(fill))
    assert count(database) == 0
    work(database, add)
    assert count(database) == 1


def test_a_transaction_that_ended_unseen_is_no_success(database: Engine) -> None:
    with pytest.raises(Unavailable, match="gave the transaction up"):
        work(database, add, end_unseen)
    assert count(database) == 0
    work(database)  # one that wrote nothing is one all the same


@pytest.mark.parametrize("fill", [by_sqlalchemy, by_the_driver])
def test_a_full_disk_within_a_savepoint_is_named(database: Engine, fill: Step) -> None:
    with pytest.raises(NoRoom):
        work(database, no_more_room, in_a_savepoint(fill))
    assert count(database) == 0


def test_the_words_that_hide_a_full_disk_are_looked_behind(database: Engine) -> None:
    with pytest.raises(NoRoom):
        work(database, no_more_room, in_other_words)


def test_what_the_caller_was_busy_with_is_no_part_of_it(database: Engine) -> None:
    full = sqlite3.OperationalError("full")
    full.sqlite_errorname = "SQLITE_FULL"
    try:
        raise OperationalError("INSERT", None, full)
    except OperationalError:
        with pytest.raises(LookupError):
            work(database, of_its_own)


def test_a_kept_connection_that_cannot_begin_gives_way_to_a_fresh_one(database: Engine) -> None:
    for harm in ("BEGIN", None):
        with write(database) as conn:
            driver: sqlite3.Connection = conn.connection.dbapi_connection
        driver.execute(harm) if harm else driver.close()
        with write(database) as again:
            assert again.connection.dbapi_connection is not driver
            again.execute(insert(piece))
        with pytest.raises(sqlite3.ProgrammingError, match="closed"):
            driver.execute("SELECT 1")
    assert count(database) == 2


def test_a_busy_database_is_waited_for_once(database: Engine, tmp_path: Path) -> None:
    with write(database) as conn:
        driver: sqlite3.Connection = conn.connection.dbapi_connection
    driver.execute("PRAGMA busy_timeout = 1")  # a fresh connection would wait its thirty seconds
    other = sqlite3.connect(tmp_path / "d.sqlite", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(OperationalError, match="locked"):
        work(database)
    other.execute("ROLLBACK")
    other.close()
    driver.execute(f"PRAGMA busy_timeout = {engines.BUSY_TIMEOUT_MS}")
    work(database, add)
    assert count(database) == 1


def test_the_log_gives_its_room_back_after_a_long_transaction(
    database: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with read(database) as conn:
        assert conn.exec_driver_sql("PRAGMA journal_size_limit").scalar_one() == engines.LOG_BYTES_LEFT
    small = tuple(f"journal_size_limit={MEBI}" if "size_limit" in one else one for one in engines._PRAGMAS)
    monkeypatch.setattr(engines, "_PRAGMAS", small)
    database.dispose()  # connections made from here on have the smaller limit
    log = tmp_path / "d.sqlite-wal"
    work(database, *[by_the_driver] * 20)
    assert log.stat().st_size > 16 * MEBI
    work(database, add)  # the log begins anew
    assert log.stat().st_size <= MEBI
