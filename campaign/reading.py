"""What the judge reads of a site on SQLite: plain statements, past the product's own reads, so that both can't err alike.

Only the whole proof of chains and seals is the product's own, `journal verify`.
"""

from __future__ import annotations

from collections import Counter
from functools import cache
from hashlib import sha256
from typing import Any

from sqlalchemy import Table, bindparam, select
from sqlalchemy.dialects import sqlite

from campaign.machine import Machine
from campaign.site import Tip
from shared.db.engine import read, write
from shared.db.types import tables_of_kind
from shared.journal.rebuild import rebuild
from shared.journal.verify import verify
from sync.proof import check_seals

ZERO = "0" * 64


class _Undo(Exception):
    """Leaves a transaction without its effect."""


class Reading:
    """Reads of one site's database."""

    def __init__(self, there: Machine) -> None:
        self.machine = there
        self.remakes: Counter[str] = Counter()

    def facts(self, stream: str) -> set[str]:
        """Ids of all facts in a stream."""
        return {row[0] for row in self._rows("SELECT fact_id FROM entry WHERE stream = ?", stream)}

    def applied(self, author: str) -> set[str]:
        """Ids of the author's facts that are rows now."""
        return {row[0] for row in self._rows("SELECT fact_id FROM applied WHERE author = ?", author)}

    def set_aside(self, author: str) -> dict[str, str]:
        """Ids of the author's facts that are kept out, with their state."""
        return dict(self._rows("SELECT fact_id, state FROM quarantine WHERE author = ?", author))

    def tips(self, stream: str) -> list[Tip]:
        """The epochs of a stream in their order."""
        rows = self._rows(
            "SELECT e.epoch, e.parent_epoch, e.parent_seq, e.parent_hash, coalesce(max(n.seq), 0) FROM epoch e"
            " LEFT JOIN entry n ON n.stream = e.stream AND n.epoch = e.epoch WHERE e.stream = ?"
            " GROUP BY e.epoch ORDER BY e.ordinal",
            stream,
        )
        return [
            Tip(epoch, seq, self.hash_at(stream, epoch, seq) or "", (parent, at, digest) if parent else None)
            for epoch, parent, at, digest, seq in rows
        ]

    def hash_at(self, stream: str, epoch: str, seq: int) -> str | None:
        """The chain at one place."""
        if seq == 0:
            return ZERO
        rows = self._rows("SELECT hash FROM entry WHERE stream = ? AND epoch = ? AND seq = ?", stream, epoch, seq)
        return str(rows[0][0]) if rows else None

    def held(self) -> dict[tuple[str, str], tuple[int, str]]:
        """Positions in peers' own streams: (stream, epoch) -> durable and hash."""
        rows = self._rows("SELECT stream, epoch, durable, hash FROM sync_position WHERE peer = stream")
        return {(stream, epoch): (durable, digest) for stream, epoch, durable, digest in rows}

    def through(self, author: str) -> int:
        """The highest promise for an author's own stream."""
        query = "SELECT coalesce(max(complete_through), 0) FROM sync_position WHERE peer = ? AND stream = ?"
        return int(self._rows(query, author, author)[0][0])

    def times(self, stream: str) -> dict[str, int]:
        """recorded_at of each fact of a stream."""
        query = "SELECT f.fact_id, f.recorded_at_ms FROM entry e JOIN fact f USING (fact_id) WHERE e.stream = ?"
        return dict(self._rows(query, stream))

    def remade(self, author: str) -> int:
        """As counted while the site ran."""
        return self.remakes[author]

    def repeated(self, author: str) -> list[str]:
        """Rows are insert-or-update and hide it; but a fact that comes again seems to be contested by one that came
        after it."""
        rows = self._rows("SELECT fact_id, head FROM contested WHERE author = ?", author)
        places = self._places(author) if rows else {}
        return [fact_id for fact_id, head in rows if places[fact_id] < places[head]]

    def _places(self, stream: str) -> dict[str, int]:
        """The first place of each fact in the order of a stream."""
        query = (
            "SELECT n.fact_id FROM entry n JOIN epoch e USING (stream, epoch) WHERE n.stream = ?"
            " ORDER BY e.ordinal DESC, n.seq DESC"
        )
        return {fact_id: -place for place, (fact_id,) in enumerate(self._rows(query, stream))}

    def incidents(self) -> int:
        """How many there are."""
        return int(self._rows("SELECT count(*) FROM sync_incident")[0][0])

    def findings(self) -> list[str]:
        """Of chains, columns, branches, heads and seals; and copied entries that no kept seal covers."""
        with read(self.machine.engine) as conn:
            found = [str(finding) for finding in verify(conn).findings]
            found += [str(finding) for finding in check_seals(conn, self.machine.key.public).findings]
        return found + self._unsealed()

    def content(self, author: str) -> str:
        """A hash over every column of every row of the author in every projection."""
        total = sha256()
        for query in content_queries():
            for row in self._rows(query, author):
                total.update(repr(row).encode())
            total.update(b"|")
        return total.hexdigest()

    def rebuilt(self, authors: tuple[str, ...]) -> dict[str, str]:
        """The same hashes after a rebuild that is then undone."""
        found: dict[str, str] = {}
        try:
            with write(self.machine.engine) as conn:
                rebuild(conn, self.machine.appliers, 0)
                found = {author: self.content(author) for author in authors}
                raise _Undo
        except _Undo:
            return found

    def _unsealed(self) -> list[str]:
        rows = self._rows(
            "SELECT e.stream, e.epoch, e.seq FROM entry e WHERE e.stream NOT IN (SELECT stream FROM head)"
            " AND NOT EXISTS (SELECT 1 FROM sync_seal s WHERE s.stream = e.stream AND s.epoch = e.epoch"
            " AND s.kind = 'batch' AND e.seq BETWEEN s.first AND s.last)"
        )
        return [f"no seal covers {stream} {epoch} {seq}" for stream, epoch, seq in rows]

    def _rows(self, query: str, *values: Any) -> list[Any]:
        return self.machine.raw.execute(query, values).fetchall()


@cache
def content_queries() -> tuple[str, ...]:
    """All columns of an author's rows, a query a projection, in the order of their keys."""
    return tuple(_content_query(table) for table in tables_of_kind("projection"))


def _content_query(table: Table) -> str:
    query = select(*table.columns).where(table.c.author == bindparam("author")).order_by(*table.primary_key.columns)
    return str(query.compile(dialect=sqlite.dialect()))
