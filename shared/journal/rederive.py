"""An author's rows made again beside the real ones, to see which of the real ones are not what the journal says.

A scratch database takes the author's entries from the journal through the same appliers; then the two are compared row
by row. What differs is put right in one short transaction: nothing is dropped, nobody waits for a whole rebuild.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import Connection, Engine, Table, delete, insert, select

from shared.db.engine import open_engine, read, write
from shared.db.types import metadata, tables_of_kind
from shared.journal.apply import Appliers
from shared.journal.digest import column_names, key_names
from shared.journal.discard import discarded
from shared.journal.position import applied_to, lock_applying
from shared.journal.reading import entries_after, lives, own_streams
from shared.journal.replay import apply_entries
from shared.journal.tables import head

ENTRIES_AT_ONCE = 2_000
SCRATCH = "rederive-"
"""How the folders of scratch databases begin; one that is left over was of a process that was killed."""

ROUNDS_MAX = 3
"""Times that rows are put right: a row that other rows rest on comes first."""


@dataclass(frozen=True)
class Difference:
    """One column of one row that is not what the journal makes of it; a missing row is one `*` that says so on its side."""

    table: str
    key: str
    column: str
    here: Any
    derived: Any

    def __str__(self) -> str:
        return f"{self.table} {self.key} {self.column}: {self.here!r} here, {self.derived!r} by the journal"


@dataclass
class Scratch:
    """A database of its own with one author's rows as the journal makes them, and how far that went (epoch -> seq)."""

    conn: Connection
    author: str
    done: dict[str, int]


def clear_scratch(folder: Path, prefix: str = SCRATCH) -> None:
    """At a start: remove what killed processes left."""
    for left in folder.glob(f"{prefix}*"):
        shutil.rmtree(left, ignore_errors=True)


@contextmanager
def scratch_for(engine: Engine, appliers: Appliers, author: str, folder: Path) -> Iterator[Scratch]:
    """Make the author's rows again in a scratch database in `folder`, which goes with it."""
    with empty_scratch(engine, author, folder) as scratch:
        with read(engine) as source:
            follow(source, scratch, appliers)
        yield scratch


@contextmanager
def empty_scratch(engine: Engine, author: str, folder: Path) -> Iterator[Scratch]:
    """A scratch database in `folder`, which goes with it, before the first row."""
    with tempfile.TemporaryDirectory(dir=folder, prefix=SCRATCH) as place:
        made = open_engine(f"sqlite:///{place}/scratch.sqlite")
        try:
            metadata.create_all(made)
            # one transaction that is never committed: nothing is synced to the disk for rows that are thrown away
            with made.connect().execution_options(writes=True) as conn:
                scratch = Scratch(conn, author, {})
                with read(engine) as source:
                    _copy_judgements(source, conn)
                yield scratch
                conn.rollback()
        finally:
            made.dispose()


def follow(source: Connection, scratch: Scratch, appliers: Appliers) -> None:
    """Bring the scratch rows level with what is applied here."""
    own = scratch.author in own_streams(source)
    for life in lives(source, scratch.author):
        end = life.seq if own else applied_to(source, life.stream, life.epoch)
        while (seq := scratch.done.get(life.epoch, 0)) < end:
            entries = entries_after(source, life.stream, life.epoch, seq, min(ENTRIES_AT_ONCE, end - seq))
            apply_entries(scratch.conn, appliers, entries, 0)
            scratch.done[life.epoch] = entries[-1].seq


def find_differences(conn: Connection, scratch: Scratch) -> list[Difference]:
    """Every column that is not as derived, by table and key. Both must stand at the same place."""
    found: list[Difference] = []
    for table in tables_of_kind("projection"):
        here, derived = (_rows(side, table, scratch.author) for side in (conn, scratch.conn))
        for key in sorted(here.keys() | derived.keys()):
            found += _compare(table, key, here.get(key), derived.get(key))
    return found


def put_right(engine: Engine, appliers: Appliers, author: str, folder: Path) -> list[Difference]:
    """Find and mend every row of the author that is not what the journal says; what was wrong is returned.

    The rows are compared while others write; those that differ are looked at again, and mended, while nobody does.
    """
    mended: list[Difference] = []
    with scratch_for(engine, appliers, author, folder) as scratch:
        for _ in range(ROUNDS_MAX):
            with read(engine) as conn:
                follow(conn, scratch, appliers)
                suspects = find_differences(conn, scratch)
            if not suspects:
                break
            with write(engine) as conn:
                # in this order everywhere, or two would wait for each other
                conn.execute(select(head.c.seq).where(head.c.stream == author).with_for_update())
                lock_applying(conn)
                follow(conn, scratch, appliers)
                for table, key in sorted({(item.table, item.key) for item in suspects}):
                    mended += _mend(conn, scratch, metadata.tables[table], key)
    return mended


def _mend(conn: Connection, scratch: Scratch, table: Table, key: str) -> list[Difference]:
    where = [table.c.author == scratch.author]
    where += [table.c[name] == value for name, value in zip(key_names(table), msgspec.json.decode(key), strict=True)]
    query = select(*(table.c[name] for name in column_names(table))).where(*where)
    here, derived = (side.execute(query).first() for side in (conn, scratch.conn))
    found = _compare(table, key, tuple(here) if here else None, tuple(derived) if derived else None)
    if found:
        conn.execute(delete(table).where(*where))
        if derived is not None:
            conn.execute(insert(table).values(**derived._mapping))
    return found


def _copy_judgements(source: Connection, scratch: Connection) -> None:
    """Which streams are this node's own, and what it gave up of others: applying asks for both."""
    for table in (head, discarded):
        rows = [dict(row) for row in source.execute(select(table)).mappings()]
        if rows:
            scratch.execute(insert(table), rows)


def _rows(conn: Connection, table: Table, author: str) -> dict[str, tuple[Any, ...]]:
    names = column_names(table)
    places = [names.index(name) for name in key_names(table)]
    query = select(*(table.c[name] for name in names)).where(table.c.author == author)
    found = (tuple(row) for row in conn.execute(query))
    return {msgspec.json.encode([row[at] for at in places]).decode(): row for row in found}


def _compare(table: Table, key: str, here: tuple[Any, ...] | None, derived: tuple[Any, ...] | None) -> list[Difference]:
    if here is None or derived is None:
        words = {True: "no row", False: "a row"}
        return [Difference(f"{table.name}", key, "*", words[here is None], words[derived is None])]
    pairs = zip(column_names(table), here, derived, strict=True)
    return [Difference(f"{table.name}", key, name, mine, its) for name, mine, its in pairs if mine != its]
