"""What could not be applied: kept with its reason, and holding later facts that speak of the same subjects.

quarantined  the bytes cannot be read, break their schema, or would not become rows
parked       the type or version is newer than this node; applied after an upgrade
held         readable, but an earlier fact about one of its subjects is not applied yet

The rows are local: everything here can be found again from the journal.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import groupby
from typing import Literal

from sqlalchemy import Column, ColumnElement, Connection, Index, Table, delete, func, insert, select

from shared.db.types import Code, Id, Int, Words, local_table
from shared.journal.reading import Stored

Place = tuple[str, str, int]
"""Stream, epoch and sequence number of an entry."""
State = Literal["quarantined", "parked", "held"]
SUBJECT_MAX = 64
REASON_MAX = 500
SEQS_A_QUERY = 500

quarantine = local_table(
    "quarantine",
    Column("stream", Code, primary_key=True),
    Column("epoch", Id, primary_key=True),
    Column("seq", Int, primary_key=True),
    Column("fact_id", Id, nullable=False),
    Column("author", Code, nullable=False),
    Column("type", Code, nullable=False),
    Column("version", Int, nullable=False),
    Column("state", Code, nullable=False),
    Column("reason", Words, nullable=False),
    Column("since_ms", Int, nullable=False),
    Index("ix_quarantine_author", "author"),
    Index("ix_quarantine_fact_id", "fact_id"),
)

blocked_subject = local_table(
    "blocked_subject",
    Column("author", Code, primary_key=True),
    Column("subject", Code, primary_key=True),
    Column("stream", Code, primary_key=True),
    Column("epoch", Id, primary_key=True),
    Column("seq", Int, primary_key=True),
    Index("ix_blocked_subject_stream_epoch_seq", "stream", "epoch", "seq"),
)


@dataclass(frozen=True)
class Unapplied:
    """One entry that stays out for now, why, and the subjects it blocks."""

    at: Stored
    state: State
    reason: str
    subjects: tuple[str, ...]

    @property
    def place(self) -> Place:
        """Where it stands."""
        return self.at.stream, self.at.epoch, self.at.seq


def set_aside(
    conn: Connection, facts: Sequence[Unapplied], now_ms: int, since: Mapping[Place, int] | None = None
) -> None:
    """Remember facts as not applied and block their subjects; `since` keeps the time of those tried before."""
    if not facts:
        return
    conn.execute(insert(quarantine), [_row(f, (since or {}).get(f.place, now_ms)) for f in facts])
    blocked = [
        {"author": f.at.author, "subject": subject, "stream": f.at.stream, "epoch": f.at.epoch, "seq": f.at.seq}
        for f in facts
        for subject in sorted({subject_key(s) for s in f.subjects})
    ]
    if blocked:
        conn.execute(insert(blocked_subject), blocked)


def blocked_subjects(conn: Connection, authors: Iterable[str]) -> set[tuple[str, str]]:
    """(author, subject key) of everything that is blocked now."""
    rows = conn.execute(
        select(blocked_subject.c.author, blocked_subject.c.subject).where(blocked_subject.c.author.in_(sorted(authors)))
    )
    return {(row.author, row.subject) for row in rows}


def subject_key(subject: str) -> str:
    """The subject itself, or its hash when it would not fit a key column."""
    if len(subject) <= SUBJECT_MAX and "\x00" not in subject:
        return subject
    return sha256(subject.encode("utf-8", "surrogatepass")).hexdigest()


def take_out(conn: Connection) -> None:
    """Forget all that is set aside: a rebuild finds it again."""
    conn.execute(delete(quarantine))
    conn.execute(delete(blocked_subject))


def take_out_places(conn: Connection, places: Sequence[Place]) -> dict[Place, int]:
    """Take these entries out for another try, or for good; returns since when each was set aside."""
    since: dict[Place, int] = {}
    for (stream, epoch), group in groupby(places, key=lambda place: place[:2]):
        seqs = [place[2] for place in group]
        for at in range(0, len(seqs), SEQS_A_QUERY):
            part = seqs[at : at + SEQS_A_QUERY]
            gone = conn.execute(
                delete(quarantine)
                .where(_is_at(quarantine, stream, epoch, part))
                .returning(quarantine.c.seq, quarantine.c.since_ms)
            )
            since |= {(stream, epoch, row.seq): row.since_ms for row in gone}
            conn.execute(delete(blocked_subject).where(_is_at(blocked_subject, stream, epoch, part)))
    return since


def list_places(conn: Connection, author: str | None = None) -> list[Place]:
    """Places of what is set aside, of one author or of all, in no order that counts."""
    query = select(quarantine.c.stream, quarantine.c.epoch, quarantine.c.seq)
    if author is not None:
        query = query.where(quarantine.c.author == author)
    return [(row.stream, row.epoch, row.seq) for row in conn.execute(query)]


def count_by_state(conn: Connection, author: str | None = None) -> dict[str, int]:
    """How many facts are set aside, by state."""
    query = select(quarantine.c.state, func.count()).group_by(quarantine.c.state)
    if author is not None:
        query = query.where(quarantine.c.author == author)
    counts = {state: 0 for state in ("quarantined", "parked", "held")}
    counts.update({row[0]: row[1] for row in conn.execute(query)})
    return counts


def find_set_aside(
    conn: Connection, after: tuple[str, str, int] | None = None, limit: int = 100
) -> list[dict[str, object]]:
    """What is set aside, in order of place, a page at a time."""
    key = (quarantine.c.stream, quarantine.c.epoch, quarantine.c.seq)
    query = select(quarantine).order_by(*key).limit(limit)
    if after is not None:
        s, e, n = after
        query = query.where(
            (key[0] > s) | ((key[0] == s) & (key[1] > e)) | ((key[0] == s) & (key[1] == e) & (key[2] > n))
        )
    return [dict(row) for row in conn.execute(query).mappings()]


def _is_at(table: Table, stream: str, epoch: str, seqs: Sequence[int]) -> ColumnElement[bool]:
    return (table.c.stream == stream) & (table.c.epoch == epoch) & table.c.seq.in_(seqs)


def _row(item: Unapplied, since_ms: int) -> dict[str, object]:
    at = item.at
    return {
        "stream": at.stream,
        "epoch": at.epoch,
        "seq": at.seq,
        "fact_id": at.fact_id,
        "author": at.author,
        "type": at.type,
        "version": at.version,
        "state": item.state,
        "reason": item.reason[:REASON_MAX],
        "since_ms": since_ms,
    }
