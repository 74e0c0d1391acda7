"""Recording an operation with its facts and rows, batches as Level 2 brings them, and making all rows again."""

from __future__ import annotations

import resource
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from sqlalchemy import Connection

from bench.nodes import make_node
from drill.history.campaign import play
from drill.history.writing import END_MS, PLANTS, stories_of, write_history
from shared.db.engine import open_engine, write
from shared.journal.apply import Appliers
from shared.journal.bulk import record_many
from shared.journal.content_hash import content_hash
from shared.journal.fact import Draft
from shared.journal.rebuild import rebuild
from shared.material import projection as material
from shared.material.facts import MaterialTransformed
from shared.node import Node, create_tables
from shared.transfers import projection as transfers
from sync.beginning import begin

BATCH = 100
"""Operations in one transaction, as the interpreter takes messages from the spool."""
WARM = 50
"""Operations before the first that is timed: a plant that has just started makes its statements."""
TURN = 20
"""Operations and bare transactions by turns: what else the machine does falls on both alike."""
Operation = Draft[MaterialTransformed]


@dataclass(frozen=True)
class Writes:
    """Operations a second: one a transaction, the bare driver with as many rows, in batches."""

    recorded: float
    bare: float
    batched: float
    rows: float


def measure_writes(folder: Path, operations: int) -> Writes:
    """On SQLite, every transaction durable, as a plant has it; one a transaction by turns with the bare driver."""
    node = make_node(folder, "MAT")
    begin(node)
    drafts = _operations(WARM + 2 * operations)
    _one_by_one(node, drafts[:WARM])
    drafts = drafts[WARM:]
    recorded = bare = rows = 0.0
    with closing(sqlite3.connect(str(node.engine.url.database))) as look, _plain(folder / "bare.sqlite") as plain:
        before = _rows(look)
        for at in range(0, operations, TURN):
            turn = drafts[at : min(at + TURN, operations)]
            recorded += _seconds(partial(_one_by_one, node, turn))
            rows = rows or (_rows(look) - before) / len(turn)
            bare += _seconds(partial(_bare, plain, at, len(turn), round(rows)))
    began = time.perf_counter()
    for at in range(operations, 2 * operations, BATCH):
        with node.journal.work() as tx:
            record_many(tx, drafts[at : at + BATCH])
    batched = operations / (time.perf_counter() - began)
    return Writes(operations / recorded, operations / bare, batched, rows)


def _seconds(work: Callable[[], None]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def measure_slow_disk(folder: Path, operations: int) -> Writes | None:
    """The same where each fsync takes 2 ms more, in a process of its own; None where no C compiler is."""
    compiler = shutil.which("cc")
    if compiler is None:
        return None
    library = folder / "slow_disk.so"
    source = Path(__file__).with_name("slow_disk.c")
    subprocess.run([compiler, "-shared", "-fPIC", "-o", str(library), str(source), "-ldl"], check=True)
    command = [
        "env",
        f"LD_PRELOAD={library}",
        sys.executable,
        "-m",
        "bench.material_writes",
        str(folder),
        str(operations),
    ]
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()[-4:]
    return Writes(*map(float, told))


def _one_by_one(node: Node, drafts: list[Operation]) -> None:
    for draft in drafts:
        with node.journal.work() as tx:
            tx.record(draft)


def _operations(count: int) -> list[Operation]:
    found: list[Operation] = []
    for story in stories_of(count * 2, seed=4):
        phases, _ = play(story)
        found += [d for _, drafts in phases for d in drafts if isinstance(d.payload, MaterialTransformed)]
        if len(found) >= count:
            break
    return found[:count]


def _rows(look: sqlite3.Connection) -> int:
    tables = [name for (name,) in look.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    return sum(look.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for name in tables)  # noqa: S608


@contextmanager
def _plain(file: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(file, isolation_level=None)) as conn:
        conn.execute("PRAGMA journal_mode=WAL")
        conn.execute("PRAGMA synchronous=FULL")
        conn.execute("CREATE TABLE plain (id TEXT PRIMARY KEY, body TEXT)")
        yield conn


def _bare(conn: sqlite3.Connection, first: int, transactions: int, rows: int) -> None:
    """Durable transactions of as many rows of 200 bytes, by the driver alone."""
    for n in range(first, first + transactions):
        conn.execute("BEGIN IMMEDIATE")
        conn.executemany("INSERT INTO plain VALUES (?, ?)", [(f"{n:016x}{m:016x}", "x" * 168) for m in range(rows)])
        conn.execute("COMMIT")


@dataclass(frozen=True)
class Rebuilding:
    """Facts a second, MB of memory before and at the most, and whether the hashes stayed."""

    facts: int
    rate: float
    before_mb: float
    most_mb: float
    same: bool


def measure_rebuild(url: str, facts: int) -> Rebuilding:
    """All rows of three plants again from so many facts."""
    engine = open_engine(url)
    create_tables(engine)
    written = write_history(engine, facts * 2 // 3, recorded=10**12)  # three facts tell of about two pieces
    appliers = Appliers()
    for subject in (material, transfers):
        subject.register(appliers)
    with write(engine) as conn:
        hashes = _hashes(conn)
    before = _peak_mb()
    began = time.perf_counter()
    with write(engine) as conn:
        count = rebuild(conn, appliers, END_MS).applied
    rate = count / (time.perf_counter() - began)
    with write(engine) as conn:
        same = _hashes(conn) == hashes
    engine.dispose()
    assert written.facts >= count
    return Rebuilding(count, rate, before, _peak_mb(), same)


def _hashes(conn: Connection) -> list[str]:
    return [content_hash(conn, plant) for plant in PLANTS]


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    done = measure_writes(Path(sys.argv[1]), int(sys.argv[2]))
    print(done.recorded, done.bare, done.batched, done.rows)
