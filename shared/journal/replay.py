"""From stored entries to rows: for copies of other nodes' streams, for another try, and for a rebuild.

One call takes a run of entries in order and leaves each either applied or set aside with a reason; it never stops at
a bad one. Good facts go in bulk. When a bulk fails, it is halved until the one fact that fails is alone, so that good
facts cost nothing extra.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Any

import msgspec
from sqlalchemy import Connection, select
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, ProgrammingError, StatementError

from shared.db.bulk import among
from shared.errors import StrandlineError
from shared.journal.apply import Appliers
from shared.journal.bulk_order import Read, bulk_order
from shared.journal.discard import find_discarded
from shared.journal.fact import AppliedFact, UnknownFact, decode, decode_envelope
from shared.journal.quarantine import Place, Unapplied, blocked_subjects, set_aside, subject_key
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

STOPPED_REASON = "waits: applying its author is stopped"


@dataclass
class Tally:
    """What became of a run of entries; types applied, for those who follow; author -> [tried, quarantined]."""

    applied: int = 0
    set_aside: int = 0
    types: set[str] = field(default_factory=set)
    by_author: dict[str, list[int]] = field(default_factory=dict)


def apply_entries(
    conn: Connection,
    appliers: Appliers,
    entries: Sequence[Stored],
    now_ms: int,
    *,
    blocked: set[tuple[str, str]] | None = None,
    stopped: Collection[str] = (),
    since: Mapping[Place, int] | None = None,
) -> Tally:
    """Apply what is new among these entries, in their order; set aside what cannot be.

    All in the caller's transaction; nothing is committed here. blocked: (author, subject key) that earlier entries
    block, read from the database unless given, and added to. stopped: authors whose facts wait. since: when entries
    that are tried again were first set aside.
    """
    fresh = _not_applied(conn, entries)
    if blocked is None:
        blocked = blocked_subjects(conn, {e.author for e in fresh}) if fresh else set()
    run = _Run(conn, appliers, blocked, stopped)
    for item in fresh:
        run.take(item)
    run.apply()
    set_aside(conn, run.aside, now_ms, since)
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
        # the first one with this id has had its effect: nothing about its subjects waits for the second
        return Unapplied(item, "quarantined", f"another fact has the id {value.fact_id}", ())
    # of a relayed author only some facts come, in another order: what it named before them says nothing here
    return value if item.stream == item.author else replace(value, previous=())


class _Run:
    """One call's state: what is blocked by now, what is good so far, what stays out."""

    def __init__(
        self, conn: Connection, appliers: Appliers, blocked: set[tuple[str, str]], stopped: Collection[str]
    ) -> None:
        self.conn = conn
        self.appliers = appliers
        self.blocked = blocked
        self.stopped = stopped
        # blocked by facts that could not become rows; what was read as good before a bad one stays good
        self.failed: set[tuple[str, str]] = set()
        self.good: list[Read] = []
        self.aside: list[Unapplied] = []
        self.tally = Tally()

    def take(self, item: Stored) -> None:
        """Read the next entry in order: good, or out for a reason that needs no database."""
        self.tally.by_author.setdefault(item.author, [0, 0])[0] += 1
        outcome = read_fact(item)
        if isinstance(outcome, Unapplied):
            self.keep_out(outcome)
        elif item.author in self.stopped:
            self.keep_out(Unapplied(item, "held", STOPPED_REASON, outcome.subjects))
        else:
            self.good += self._unblocked([(item, outcome)], self.blocked)

    def apply(self) -> None:
        """Apply the good ones in order, author by author."""
        for _author, group in groupby(self.good, key=lambda pair: pair[0].author):
            self._bulk(bulk_order(self._unblocked(list(group), self.failed)))

    def keep_out(self, item: Unapplied) -> None:
        """Set one fact aside and block its subjects from here on."""
        self.aside.append(item)
        self.blocked |= _keys(item)
        self.tally.set_aside += 1
        if item.state == "quarantined":
            self.tally.by_author[item.at.author][1] += 1

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
            bad = Unapplied(item, "quarantined", reason, value.subjects)
            self.failed |= _keys(bad)
            self.keep_out(bad)
            return
        middle = len(facts) // 2
        self._bulk(facts[:middle])
        self._bulk(self._unblocked(facts[middle:], self.failed))

    def _unblocked(self, facts: list[Read], blocked: set[tuple[str, str]]) -> list[Read]:
        if not blocked:
            return facts
        free: list[Read] = []
        for item, value in facts:
            if _is_blocked(value.subjects, item.author, blocked):
                held = Unapplied(item, "held", HELD_REASON, value.subjects)
                self.failed |= _keys(held) if blocked is self.failed else set()
                self.keep_out(held)
            else:
                free.append((item, value))
        return free


def _keys(item: Unapplied) -> set[tuple[str, str]]:
    return {(item.at.author, subject_key(s)) for s in item.subjects}


def _is_blocked(subjects: Sequence[str], author: str, blocked: set[tuple[str, str]]) -> bool:
    return any((author, subject_key(s)) in blocked for s in subjects)


def _not_applied(conn: Connection, entries: Sequence[Stored]) -> list[Stored]:
    """Entries whose fact had no effect here yet and may still have one, each fact once."""
    ids = [item.fact_id for item in entries]
    authors = sorted({item.author for item in entries})
    done = find_discarded(conn, authors)
    for at in range(0, len(ids), IDS_A_QUERY):
        rows = conn.execute(
            select(applied.c.author, applied.c.fact_id).where(
                applied.c.author.in_(authors), among(conn, applied.c.fact_id, ids[at : at + IDS_A_QUERY])
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
