"""Statements by the driver itself: the transaction, the errors and the rows are those of any statement, on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Engine,
    Integer,
    MetaData,
    String,
    Table,
    bindparam,
    cast,
    func,
    select,
)
from sqlalchemy.exc import DBAPIError, IntegrityError

from shared.db.bulk import insert_all
from shared.db.engine import open_engine, read, write
from shared.db.prepared import ROWS_AT_ONCE, Prepared

piece = Table(
    "driver_piece",
    MetaData(),
    Column("piece", String(8), primary_key=True),
    Column("mass_g", BigInteger, nullable=False),
)
HEAVY = Prepared(lambda _: select(piece).where(piece.c.mass_g >= bindparam("least")).order_by(piece.c.mass_g))
AWAY = Prepared(
    lambda database: select(
        cast(1, Integer) / (piece.c.mass_g - bindparam("least"))
        if database == "postgresql"
        else func.json_extract("{", bindparam("least"))
    ).select_from(piece)
)
"""Fails in the database while it is read."""


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    url = f"sqlite:///{tmp_path / 'd.sqlite'}" if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    engine = open_engine(url)
    piece.create(engine)
    yield engine
    piece.drop(engine)
    engine.dispose()


def rows(count: int) -> list[dict[str, str | int]]:
    return [{"piece": f"p{n}", "mass_g": n} for n in range(count)]


def add_each(conn: Connection, *made: dict[str, str | int]) -> None:
    for row in made:
        insert_all(conn, piece, [row])


def test_one_row_is_kept_or_taken_back_with_its_transaction(database: Engine) -> None:
    with write(database) as conn:
        insert_all(conn, piece, rows(1))
    with pytest.raises(IntegrityError), write(database) as conn:
        add_each(conn, {"piece": "other", "mass_g": 5}, *rows(1))
    with write(database) as conn:  # the connection of the writer that failed is not the next one's
        assert conn.execute(select(piece.c.piece)).scalars().all() == ["p0"]
        insert_all(conn, piece, [{"piece": "p9", "mass_g": 9}])
    with read(database) as conn:
        assert HEAVY.rows(conn, least=1) == [("p9", 9)]


def test_many_rows_come_in_parts_and_may_be_left_off(database: Engine) -> None:
    with write(database) as conn:
        insert_all(conn, piece, rows(2 * ROWS_AT_ONCE + 1))
    with read(database) as conn:
        first = HEAVY.batches(conn, least=0)
        assert next(first)[0] == ("p0", 0)
        second = [len(part) for part in HEAVY.batches(conn, least=1)]  # another one while the first is open
        assert second == [ROWS_AT_ONCE, ROWS_AT_ONCE]
        assert len(next(first)) == ROWS_AT_ONCE
        first.close()
    with write(database) as conn:
        insert_all(conn, piece, [{"piece": "late", "mass_g": 1}])


def test_an_error_while_rows_are_read_is_the_databases(database: Engine) -> None:
    with write(database) as conn:
        insert_all(conn, piece, rows(3))
    for ask in (lambda conn: AWAY.rows(conn, least=0), lambda conn: list(AWAY.batches(conn, least=0))):
        with pytest.raises(DBAPIError), read(database) as conn:
            ask(conn)
    with read(database) as conn:
        assert len(HEAVY.rows(conn, least=0)) == 3


def test_a_writer_that_is_ready_goes_with_its_engine(tmp_path: Path) -> None:
    """After dispose() no connection looks at a file that may be another one by then."""
    file = tmp_path / "w.sqlite"
    engine = open_engine(f"sqlite:///{file}")
    piece.create(engine)
    with write(engine) as conn:
        insert_all(conn, piece, rows(2))
    engine.dispose()
    assert not file.with_name("w.sqlite-wal").exists(), "the last connection took the log into the file"
    file.unlink()
    piece.create(engine)
    with write(engine) as conn:
        assert HEAVY.rows(conn, least=0) == []
    engine.dispose()
