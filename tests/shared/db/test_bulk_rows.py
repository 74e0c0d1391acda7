"""Rows written in bulk come out as if they had been written one after another, on both databases."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import BigInteger, Boolean, Column, Engine, LargeBinary, MetaData, String, Table, Text, select
from sqlalchemy.exc import IntegrityError, OperationalError

from shared.db.bulk import COPY_FROM, among, insert_all, insert_new, update_each
from shared.db.engine import open_engine, read, write
from shared.db.upsert import upsert

piece = Table(
    "bulk_piece",
    MetaData(),
    Column("author", String(8), primary_key=True),
    Column("piece", String(8), primary_key=True),
    Column("mass_g", BigInteger, nullable=True),
    Column("flipped", Boolean, nullable=False),
    Column("note", Text, nullable=False),
    Column("moves", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
)
Row = dict[str, Any]


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    url = f"sqlite:///{tmp_path / 'b.sqlite'}" if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    engine = open_engine(url)
    piece.create(engine)
    yield engine
    piece.drop(engine)
    engine.dispose()


def draw(seed: int, count: int) -> list[Row]:
    """Rows of which many share a key; notes with what separates array elements."""
    rng = random.Random(seed)
    return [
        {
            "author": "ALD",
            "piece": f"p{rng.randrange(7)}",
            "mass_g": rng.choice([None, rng.randrange(1 << 40)]),
            "flipped": rng.random() < 0.5,
            "note": rng.choice(['a,"b"', "{x}", "", "NULL", "ä\n'"]),
            "moves": rng.randrange(9),
            "body": bytes(rng.randrange(256) for _ in range(5)),
        }
        for _ in range(count)
    ]


def content(engine: Engine) -> list[Row]:
    with read(engine) as conn:
        return [dict(row) for row in conn.execute(select(piece).order_by(piece.c.piece)).mappings()]


@pytest.mark.parametrize("seed", range(5))
def test_a_bulk_upsert_is_the_rows_one_after_another(database: Engine, seed: int) -> None:
    before, rows = draw(seed, 4), draw(seed + 100, 30)
    outcomes = []
    for together in (True, False):
        with write(database) as conn:
            conn.execute(piece.delete())
            upsert(conn, piece, before)
            for chunk in [rows] if together else [[row] for row in rows]:
                upsert(conn, piece, chunk, update=["mass_g", "note", "body"], add=["moves"])
        outcomes.append(content(database))
    assert outcomes[0] == outcomes[1], f"seed {seed}"


@pytest.mark.parametrize("seed", range(3))
def test_a_bulk_update_is_the_rows_one_after_another(database: Engine, seed: int) -> None:
    names = ("author", "piece", "mass_g", "note", "moves")
    rows = [{name: row[name] for name in names} for row in draw(seed + 200, 30)]
    outcomes = []
    for together in (True, False):
        with write(database) as conn:
            conn.execute(piece.delete())
            upsert(conn, piece, draw(seed, 6))
            for chunk in [rows] if together else [[row] for row in rows]:
                update_each(conn, piece, ("author", "piece"), chunk, add=("moves",), keep=("mass_g",))
        outcomes.append(content(database))
    assert outcomes[0] == outcomes[1], f"seed {seed}"
    assert outcomes[0]
    assert {row["piece"] for row in outcomes[0]} <= {row["piece"] for row in draw(seed, 6)}


def test_rows_are_found_among_many_values(database: Engine) -> None:
    with write(database) as conn:
        insert_new(conn, piece, draw(5, 20))
        there = {row["piece"] for row in conn.execute(select(piece.c.piece)).mappings()}
        found = conn.execute(select(piece.c.piece).where(among(conn, piece.c.piece, ["p1", "p2", 'a,"b"', ""])))
        assert set(found.scalars()) == there & {"p1", "p2"} != set()
        assert conn.execute(select(piece.c.piece).where(among(conn, piece.c.piece, []))).all() == []


def test_new_rows_leave_those_that_are_there(database: Engine) -> None:
    first, second = draw(1, 1)[0], {**draw(2, 1)[0], "piece": "other"}
    with write(database) as conn:
        assert insert_new(conn, piece, [first]) == 1
        assert insert_new(conn, piece, [{**first, "note": "changed"}, second, {**second, "note": "again"}]) == 1
        assert insert_new(conn, piece, []) == 0
    assert sorted(content(database), key=repr) == sorted([first, second], key=repr)


def many(count: int, seed: int = 9) -> list[Row]:
    """Enough for COPY, each under its own key, with everything a column can hold."""
    return [{**row, "piece": f"m{n}", "body": bytes(range(256))} for n, row in enumerate(draw(seed, count))]


def test_many_new_rows_leave_those_that_are_there(database: Engine) -> None:
    rows = many(2 * COPY_FROM)
    half, known = rows[:COPY_FROM], {**rows[3], "note": "known"}
    with write(database) as conn:
        assert insert_new(conn, piece, half) == COPY_FROM
        assert insert_new(conn, piece, [known, *rows]) == COPY_FROM
    assert sorted(content(database), key=repr) == sorted(rows, key=repr)


def test_of_many_rows_one_that_may_not_be_is_an_error_and_none_stays(database: Engine) -> None:
    rows = many(COPY_FROM)
    for bad in (rows[3], {**rows[3], "piece": "x", "note": None}):
        with pytest.raises(IntegrityError), write(database) as conn:
            insert_all(conn, piece, [*rows, bad])
        assert content(database) == []
    with pytest.raises(IntegrityError), write(database) as conn:
        insert_new(conn, piece, [*rows, {**rows[3], "piece": "x", "author": None}])
    with write(database) as conn:
        insert_all(conn, piece, rows)
    assert sorted(content(database), key=repr) == sorted(rows, key=repr)


@pytest.mark.postgres
def test_a_server_that_goes_during_many_rows_is_the_databases_error(postgres_url: str) -> None:
    engine = open_engine(postgres_url)
    piece.create(engine)

    def insert_without_server() -> None:
        with write(engine) as conn:
            mine = conn.exec_driver_sql("SELECT pg_backend_pid()").scalar()
            with write(engine) as other:
                other.exec_driver_sql(f"SELECT pg_terminate_backend({mine})")
            insert_all(conn, piece, many(COPY_FROM))

    with pytest.raises(OperationalError):
        insert_without_server()
    with write(engine) as conn:
        insert_all(conn, piece, many(COPY_FROM))
    assert len(content(engine)) == COPY_FROM
    engine.dispose()


def test_a_key_that_is_there_is_an_error_where_all_must_be_new(database: Engine) -> None:
    row = draw(3, 1)[0]
    with write(database) as conn:
        insert_all(conn, piece, [row])
    with pytest.raises(IntegrityError), write(database) as conn:
        insert_all(conn, piece, [{**row, "piece": "new"}, row])
    assert content(database) == [row]
