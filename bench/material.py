"""Material at full size, each figure beside its reference in the same run, on a made-up group of ten years.

Traces and recalls as the value objects that pages and the API use; the reference is one recursive query by the bare driver
with the same columns. The other peer is what most products do: objects of an ORM with relationships, one query a node, which
brings the edges from there with the pieces they lead to.
"""

from __future__ import annotations

import sqlite3
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random
from statistics import median, quantiles
from typing import Any

import msgspec
from sqlalchemy import Connection, Engine, func, make_url, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, foreign, relationship

from bench.sync_backlog import database
from drill.history.multiplying import BORN
from drill.history.writing import hurry, write_history
from shared.db.engine import open_engine, read
from shared.material.search import suggest
from shared.material.tables import alias, edge, material
from shared.material.trace import trace
from shared.node import create_tables
from shared.recall.lines import as_json
from shared.recall.stream import stream
from tools.postgres import find_programs, temporary_cluster

SAMPLES, NODES_BY_ORM = 150, 20
RECALLED = 50_000
_encoder = msgspec.json.Encoder()


@dataclass(frozen=True)
class Reads:
    """Medians and p95 in ms of one database; pieces a second of a stream."""

    trace_ms: float
    trace_p95_ms: float
    trace_bare_ms: float
    recall_ms: float
    recall_p95_ms: float
    recall_bare_ms: float
    orm_ms: float
    search_p95_ms: float
    streamed: float
    stream_pieces: int


class Base(DeclarativeBase):
    """The ORM's view of the same tables."""


_pieces, _edges = material.to_metadata(Base.metadata), edge.to_metadata(Base.metadata)


class PieceRow(Base):
    """A piece as an object, and the steps that it went into."""

    __table__ = _pieces
    steps: Mapped[list[EdgeRow]] = relationship(
        primaryjoin=_pieces.c.material_id == foreign(_edges.c.parent_id), viewonly=True
    )


class EdgeRow(Base):
    """An edge as an object, with the rows of the piece that it led to: they come with it, by the same query."""

    __table__ = _edges
    pieces: Mapped[list[PieceRow]] = relationship(
        primaryjoin=_edges.c.child_id == foreign(_pieces.c.material_id), viewonly=True, lazy="joined"
    )


def fill_group(url: str, materials: int) -> Engine:
    """A fresh database with so many pieces, its statistics up to date."""
    filling = open_engine(url)
    hurry(filling)
    create_tables(filling)
    write_history(filling, materials)
    filling.dispose()
    engine = open_engine(url)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
        if engine.dialect.name == "postgresql":
            conn.exec_driver_sql("VACUUM ANALYZE")
    return engine


def measure_reads(engine: Engine) -> Reads:
    """All reads of one database, on the same sample of heats and last pieces."""
    dice = Random(1)
    with read(engine) as conn, _bare(engine) as ask, Session(engine) as session:
        heats, last = _sample(conn, "heat", dice), _sample(conn, "slit", dice)
        prefixes = _prefixes(conn, dice)
        back, back_bare = _beside(last, lambda piece: trace(conn, piece, "backward"), lambda piece: ask(piece, True))
        ahead, ahead_bare = _beside(heats, lambda piece: trace(conn, piece, "forward"), lambda piece: ask(piece, False))
        search = _times(prefixes, lambda text: suggest(conn, text))
        streamed, pieces = _stream(conn)
        orm = _times(heats[:NODES_BY_ORM], lambda piece: _by_orm(session, piece))
    return Reads(
        median(back), _p95(back), median(back_bare), median(ahead), _p95(ahead), median(ahead_bare), median(orm),
        _p95(search), streamed, pieces,
    )  # fmt: skip


def _p95(times: Sequence[float]) -> float:
    return quantiles(times, n=20)[-1]


def _sample(conn: Connection, kind: str, dice: Random) -> list[str]:
    """Pieces of a group, of all its copies alike: to read all ids of ten million would take longer than the timings."""
    c = material.c.material_id
    own = conn.execute(select(c).where(material.c.kind == kind, c < f"{int(BORN) + 1:02x}")).scalars().all()
    copies = int(conn.execute(select(func.max(c))).scalar_one()[: len(BORN)], 16)
    return [f"{dice.randint(1, copies):02x}{one[len(BORN) :]}" for one in dice.sample(own, min(SAMPLES, len(own)))]


def _prefixes(conn: Connection, dice: Random) -> list[str]:
    ids = _sample(conn, "coil", dice)
    values = conn.execute(select(alias.c.value).where(alias.c.material_id.in_(ids))).scalars().all()
    return [value[: dice.randrange(2, len(value))] for value in values]


def _times(what: Sequence[str], work: Callable[[str], object]) -> list[float]:
    return _beside(what, work)[0]


def _beside(what: Sequence[str], *works: Callable[[str], object]) -> list[list[float]]:
    """Milliseconds of each work for each thing, in turns: what else the machine does falls on all of them alike. Each is
    as often the first, who finds the pages of the thing where the disk has them."""
    found: list[list[float]] = [[] for _ in works]
    for n, one in enumerate([what[0], *what]):
        for at in sorted(range(len(works)), reverse=bool(n % 2)):
            began = time.perf_counter()
            works[at](one)
            found[at].append((time.perf_counter() - began) * 1000)
    return [times[1:] for times in found]


def _stream(conn: Connection) -> tuple[float, int]:
    """Pieces a second as lines of JSON, of so many heats that about 50,000 pieces come."""
    c = material.c
    heats = select(c.material_id).where(c.kind == "heat").order_by(c.material_id).limit(RECALLED // 40)
    ids = conn.execute(heats).scalars()
    starts, count, began = list(ids), 0, time.perf_counter()
    for pieces in stream(conn, starts):
        count += len(pieces)
        _encoder.encode_lines([as_json(piece) for piece in pieces])
    return count / (time.perf_counter() - began), count


@contextmanager
def _bare(engine: Engine) -> Iterator[Callable[[str, bool], object]]:
    """The driver by itself: one recursive query that answers the edges and the piece at their far end."""
    on_file = engine.dialect.name == "sqlite"
    if on_file:
        connection: Any = sqlite3.connect(str(engine.url.database))
    else:
        import psycopg

        address = engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
        connection = psycopg.connect(address, autocommit=True)
    texts = {backward: _sql(backward, "?" if on_file else "%s") for backward in (False, True)}
    yield lambda piece, backward: connection.execute(texts[backward], (piece,)).fetchall()
    connection.close()


def _sql(backward: bool, mark: str) -> str:
    here, there = ("child_id", "parent_id") if backward else ("parent_id", "child_id")
    return (
        f"WITH RECURSIVE reach(id) AS (SELECT CAST({mark} AS VARCHAR(32)) UNION SELECT e.{there} FROM edge e "  # noqa: S608
        f"JOIN reach ON e.{here} = reach.id) SELECT e.*, m.* FROM reach JOIN edge e ON e.{here} = reach.id "
        f"JOIN material m ON m.material_id = e.{there}"
    )


def _by_orm(session: Session, start: str) -> None:
    """From piece to piece by their relationships, each asked for its steps once, in a session of its own."""
    session.expunge_all()
    known = {start}
    front = list(session.scalars(select(PieceRow).where(_pieces.c.material_id == start).limit(1)))
    while front:
        for step in front.pop().steps:
            child = step.pieces[0]
            if child.material_id not in known:  # type: ignore[attr-defined]
                known.add(child.material_id)  # type: ignore[attr-defined]
                front.append(child)


def sizes(folder: Path, materials: int) -> Iterator[tuple[str, Reads, Reads]]:
    """(database, at a tenth of the pieces, at all of them) for SQLite and, where it is installed, PostgreSQL."""
    small = max(1_000, materials // 10)
    files = {n: f"sqlite:///{folder / f'm{n}.sqlite'}" for n in (small, materials)}
    yield "SQLite", _measured(files[small], small), _measured(files[materials], materials)
    programs = find_programs()
    if programs is not None:
        with temporary_cluster(programs, fsync=False) as url:
            few = _measured(database(url, "few"), small)
            yield "PostgreSQL", few, _measured(database(url, "many"), materials)


def _measured(url: str, materials: int) -> Reads:
    engine = fill_group(url, materials)
    try:
        return measure_reads(engine)
    finally:
        engine.dispose()


if __name__ == "__main__":
    # of groups that were made up before, in turns: each address twice, since the first look at a page is the disk's
    for look in ("first", "second"):
        for address in sys.argv[1:]:
            done = measure_reads(open_engine(address))
            print(make_url(address).database, look, *(f"{name} {value:,.3f}" for name, value in asdict(done).items()))
