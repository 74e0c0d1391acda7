"""Which statements keep their plan on PostgreSQL: those that walk along keys, and no other."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import ProgrammingError

from shared.db.engine import open_engine, read
from shared.material.trace import trace
from shared.node import create_tables

A = "a" * 32


@pytest.fixture
def engine(postgres_url: str) -> Iterator[Engine]:
    engine = open_engine(postgres_url)
    create_tables(engine)
    yield engine
    engine.dispose()


def mode(conn: Connection) -> tuple[str, str]:
    return conn.execute(text("SHOW plan_cache_mode")).scalar_one(), conn.execute(
        text("SHOW enable_seqscan")
    ).scalar_one()


def plans(conn: Connection) -> dict[str, tuple[int, int]]:
    """(kept, made anew) executions of the walk's statement in this session."""
    query = (
        "SELECT statement, generic_plans, custom_plans FROM pg_prepared_statements WHERE statement LIKE '%RECURSIVE%'"
    )
    return {row[0]: (row[1], row[2]) for row in conn.exec_driver_sql(query.replace("%", "%%"))}


def test_a_walk_keeps_its_plan_and_ordinary_statements_are_planned_anew(engine: Engine) -> None:
    with read(engine) as conn:
        for _ in range(3):
            trace(conn, A, "backward")
        assert list(plans(conn).values()) == [(3, 0)]
        assert mode(conn) == ("force_custom_plan", "on")
        trace(conn, A, "backward")
        assert list(plans(conn).values()) == [(4, 0)]
    with read(engine) as conn:
        assert mode(conn) == ("force_custom_plan", "on")


def test_a_plan_made_on_empty_tables_goes_through_the_indexes(engine: Engine) -> None:
    """The plan of a fresh hub is the plan of a full one, so it may be kept."""
    with read(engine) as conn:
        trace(conn, A, "forward")
        cursor = conn.connection.cursor()
        names = cursor.execute(
            "SELECT name, statement FROM pg_prepared_statements WHERE generic_plans > 0 ORDER BY statement"
        ).fetchall()
        assert names
        for name, statement in names:
            values = ", ".join(["'{a}'"] + ["9"] * (statement.count("$") - 1))
            lines = [line for (line,) in cursor.execute(f'EXPLAIN EXECUTE "{name}" ({values})').fetchall()]
            assert not [line for line in lines if "Seq Scan" in line], lines


def test_what_a_savepoint_takes_back_leaves_no_kept_plan(engine: Engine) -> None:
    with read(engine) as conn:
        trace(conn, A, "backward")
        savepoint = conn.begin_nested()
        conn.execute(text("SELECT 1"))
        savepoint.rollback()
        assert mode(conn) == ("force_custom_plan", "on")


def test_an_error_behind_a_walk_ends_with_its_savepoint(engine: Engine) -> None:
    """The statement that says how to plan once stood before the return to the savepoint, where nothing else is heard."""
    with read(engine) as conn:
        trace(conn, A, "backward")
        with pytest.raises(ProgrammingError), conn.begin_nested():
            conn.execute(text("SELECT nothing_of_that_name"))
        assert mode(conn) == ("force_custom_plan", "on")
