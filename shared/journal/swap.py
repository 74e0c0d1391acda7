"""An author's rows replaced by those of a scratch database: found out beside the work, written in one short transaction.

Only what differs is written. Besides the projected rows that is what an author's facts leave in the journal's own
tables: which were applied, which spoke last of a subject, which contradict, which are set aside.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from sqlalchemy import Column, Connection, MetaData, Table, and_, bindparam, delete, insert, select

from shared.db.bulk import insert_all
from shared.db.types import tables_of_kind
from shared.journal.digest import column_names, key_names
from shared.journal.position import apply_position, move_to
from shared.journal.quarantine import blocked_subject, list_places, quarantine, take_out_places
from shared.journal.reading import lives
from shared.journal.rederive import Scratch
from shared.journal.tables import applied, contested, subject_head

Key = tuple[Any, ...]
Suspects = dict[Table, list[Key]]
"""Keys, without the author, of rows that are not the same on both sides."""

ROWS_AT_ONCE = 5_000
_encode = msgspec.json.Encoder(order="deterministic").encode


def find_suspects(conn: Connection, scratch: Scratch) -> Suspects:
    """Rows of the author that differ or are on one side only, a table at a time; some 50 bytes of memory a row."""
    found: Suspects = {}
    for table in _tables():
        there = dict(_digests(scratch.conn, table, scratch.author))
        differ = [key for key, digest in _digests(conn, table, scratch.author) if there.pop(key, b"") != digest]
        if differ or there:
            found[table] = [*differ, *there]
    return found


def write_suspects(conn: Connection, scratch: Scratch, suspects: Suspects) -> None:
    """Make these rows what they are in the scratch database, in the caller's transaction."""
    for table, keys in suspects.items():
        names = key_names(table)
        where = [table.c.author == scratch.author, *(table.c[name] == bindparam(f"is_{name}") for name in names)]
        chosen = [{f"is_{name}": value for name, value in zip(names, key, strict=True)} for key in keys]
        conn.execute(delete(table).where(*where), chosen)
        for rows in _rows_of(scratch, table, keys):
            insert_all(conn, table, rows)


def take_over_the_rest(conn: Connection, scratch: Scratch) -> None:
    """What of the author is set aside, and how far its stream is applied."""
    author = scratch.author
    take_out_places(conn, list_places(conn, author))
    for table in (quarantine, blocked_subject):
        rows = [dict(row) for row in scratch.conn.execute(select(table).where(table.c.author == author)).mappings()]
        insert_all(conn, table, rows)
    conn.execute(delete(apply_position).where(apply_position.c.stream == author))
    for life in lives(conn, author):
        move_to(conn, author, life.epoch, life.seq)


def _tables() -> list[Table]:
    return [*tables_of_kind("projection"), applied, subject_head, contested]


def _digests(conn: Connection, table: Table, author: str) -> Iterator[tuple[Key, bytes]]:
    names = column_names(table)
    places = [names.index(name) for name in key_names(table)]
    query = select(*(table.c[name] for name in names)).where(table.c.author == author)
    for row in conn.execute(query.execution_options(yield_per=ROWS_AT_ONCE)):
        values = tuple(row)
        yield tuple(values[at] for at in places), hashlib.blake2b(_encode(values), digest_size=16).digest()


def _rows_of(scratch: Scratch, table: Table, keys: Sequence[Key]) -> Iterator[list[dict[str, Any]]]:
    """The scratch database's rows of these keys: joined there, for to ask for each would take longer than all else."""
    names = ["author", *key_names(table)]
    wanted = Table("wanted", MetaData(), *(Column(n, table.c[n].type) for n in names), prefixes=["TEMPORARY"])
    wanted.create(scratch.conn)
    rows = [dict(zip(names, (scratch.author, *key), strict=True)) for key in keys]
    scratch.conn.execute(insert(wanted), rows)
    same = and_(*(wanted.c[name] == table.c[name] for name in names))
    result = scratch.conn.execute(select(table).select_from(wanted.join(table, same)))
    for part in result.mappings().partitions(ROWS_AT_ONCE):
        yield [dict(row) for row in part]
    wanted.drop(scratch.conn)
