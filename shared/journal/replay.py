"""From stored entries to rows: for copies of other nodes' streams, for another try, and for a rebuild.

One call takes a run of entries in order and leaves each either applied or set aside with a reason; it never stops at
a bad one. Good facts go in bulk. When a bulk fails, it is halved until the one fact that fails is alone, so that good
facts cost nothing extra.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

import msgspec
from sqlalchemy import Connection, select
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, ProgrammingError, StatementError

from shared.errors import StrandlineError
from shared.journal.apply import Appliers
from shared.journal.fact import AppliedFact, UnknownFact, decode, decode_envelope
from shared.journal.quarantine import Unapplied, blocked_subjects, set_aside, subject_key
from shared.journal.reading import Stored
from shared.journal.tables import applied

UNREADABLE = (msgspec.DecodeError, UnicodeError, RecursionError, OverflowError)
"""What reading a fact may raise (msgspec's ValidationError is a DecodeError)."""

WILL_NOT_APPLY = (
    StatementError,
    ArithmeticError,
    LookupError,
    TypeError,
    ValueError,
    AttributeError,
    AssertionError,
    RuntimeError,
    msgspec.MsgspecError,
    StrandlineError,
)
"""What an applier may raise for one fact. One such fact must not stop the others, nor the thread that applies them."""

ABOUT_THE_ROW = (IntegrityError, DataError, ProgrammingError)
"""Of the database's own errors, those that speak of a row; the others (no room, gone) are nobody's fact's fault."""

IDS_A_QUERY = 500
HELD_REASON = "waits for an earlier fact about the same subject"

Read = tuple[Stored, AppliedFact[Any]]


@dataclass
class Tally:
    """What became of a run of entries; types and authors applied, for those who follow."""

    applied: int = 0
    set_aside: int = 0
    types: set[str] = field(default_factory=set)


def apply_entries(conn: Connection, appliers: Appliers, entries: Sequence[Stored], now_ms: int) -> Tally:
    """Apply what is new among these entries, in their order; set aside what cannot be.

    All in the caller's transaction; nothing is committed here.
    """
    fresh = _not_applied(conn, entries)
    run = _Run(conn, appliers, now_ms, blocked_subjects(conn, {e.author for e in fresh}) if fresh else set())
    good: list[Read] = []
    for item in fresh:
        outcome = read_fact(item)
        if isinstance(outcome, Unapplied):
            run.apply(good)
            good = []
            run.keep_out(outcome)
        else:
            good.append((item, outcome))
    run.apply(good)
    return run.tally


def read_fact(item: Stored) -> AppliedFact[Any] | Unapplied:
    """The fact as appliers see it, or why it stays out."""
    try:
        value = decode(item.body)
    except UnknownFact as error:
        return Unapplied(item, "parked", f"{error} is newer than this node", _subjects(item.body))
    except UNREADABLE as error:
        return Unapplied(item, "quarantined", f"cannot be read: {error}", _subjects(item.body))
    if value.author != item.author:
        return Unapplied(item, "quarantined", f"{item.author} speaks for {value.author}", value.subjects)
    if value.fact_id != item.fact_id:
        return Unapplied(item, "quarantined", f"another fact has the id {value.fact_id}", value.subjects)
    return value


class _Run:
    """One call's state: what is blocked by now, and what became of the facts so far."""

    def __init__(self, conn: Connection, appliers: Appliers, now_ms: int, blocked: set[tuple[str, str]]) -> None:
        self.conn = conn
        self.appliers = appliers
        self.now_ms = now_ms
        self.blocked = blocked
        self.tally = Tally()

    def apply(self, facts: Sequence[Read]) -> None:
        """Apply readable facts in order, author by author; hold those whose subjects are blocked."""
        for _author, group in groupby(facts, key=lambda pair: pair[0].author):
            self._bulk(self._unblocked(list(group)))

    def keep_out(self, item: Unapplied) -> None:
        """Set one fact aside and block its subjects from here on."""
        set_aside(self.conn, [item], self.now_ms)
        self.blocked |= {(item.at.author, subject_key(s)) for s in item.subjects}
        self.tally.set_aside += 1

    def _bulk(self, facts: list[Read]) -> None:
        if not facts:
            return
        try:
            with self.conn.begin_nested():
                self.appliers.apply(self.conn, [value for _, value in facts])
        except WILL_NOT_APPLY as error:
            if isinstance(error, DBAPIError) and not isinstance(error, ABOUT_THE_ROW):
                raise
            self._halve(facts, error)
            return
        self.tally.applied += len(facts)
        self.tally.types |= {value.type for _, value in facts}

    def _halve(self, facts: list[Read], error: Exception) -> None:
        if len(facts) == 1:
            item, value = facts[0]
            reason = f"could not become rows: {type(error).__name__}: {error}"
            self.keep_out(Unapplied(item, "quarantined", reason, value.subjects))
            return
        middle = len(facts) // 2
        self._bulk(facts[:middle])
        self._bulk(self._unblocked(facts[middle:]))

    def _unblocked(self, facts: list[Read]) -> list[Read]:
        if not self.blocked:
            return facts
        free: list[Read] = []
        for item, value in facts:
            if _is_blocked(value.subjects, item.author, self.blocked):
                self.keep_out(Unapplied(item, "held", HELD_REASON, value.subjects))
            else:
                free.append((item, value))
        return free


def _is_blocked(subjects: Sequence[str], author: str, blocked: set[tuple[str, str]]) -> bool:
    return bool(blocked) and any((author, subject_key(s)) in blocked for s in subjects)


def _not_applied(conn: Connection, entries: Sequence[Stored]) -> list[Stored]:
    """Entries whose fact had no effect here yet, each fact once."""
    done: set[tuple[str, str]] = set()
    ids = [item.fact_id for item in entries]
    authors = sorted({item.author for item in entries})
    for at in range(0, len(ids), IDS_A_QUERY):
        rows = conn.execute(
            select(applied.c.author, applied.c.fact_id).where(
                applied.c.author.in_(authors), applied.c.fact_id.in_(ids[at : at + IDS_A_QUERY])
            )
        )
        done |= {(row.author, row.fact_id) for row in rows}
    fresh: list[Stored] = []
    for item in entries:
        if (item.author, item.fact_id) not in done:
            done.add((item.author, item.fact_id))
            fresh.append(item)
    return fresh


def _subjects(body: bytes) -> tuple[str, ...]:
    try:
        return tuple(subject.id for subject in decode_envelope(body).subjects)
    except UNREADABLE:
        return ()
