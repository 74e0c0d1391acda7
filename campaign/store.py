"""Storage of the memory world: chains, rows and identities as plain values that are copied in microseconds.

It stands in for the journal's tables. The rules stay the product's own: its chain hash, its verdicts, its recovery.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from shared.journal.chain import next_hash
from sync.clones import Visit
from sync.messages import ZERO_HASH, Branch, EpochState

Kind = Literal["plain", "poison", "newer"]


@dataclass(frozen=True, slots=True)
class Stated:
    """A fact as everyone reads it."""

    fact_id: str
    author: str
    subject: str
    kind: Kind
    recorded_ms: int

    @property
    def body(self) -> bytes:
        """Its bytes."""
        return f"{self.fact_id} {self.author} {self.subject} {self.kind} {self.recorded_ms}".encode()


class Chain:
    """One epoch of one stream, written or copied; hashes[n] is the chain's hash at place n."""

    __slots__ = ("epoch", "facts", "hashes", "parent", "stream")

    def __init__(self, stream: str, epoch: str, parent: Branch | None) -> None:
        self.stream = stream
        self.epoch = epoch
        self.parent = parent
        self.facts: list[Stated] = []
        self.hashes: list[str] = [ZERO_HASH]

    @property
    def head(self) -> int:
        """The last place."""
        return len(self.facts)

    def append(self, fact: Stated) -> None:
        """One more entry."""
        self.facts.append(fact)
        self.hashes.append(next_hash(self.epoch, self.stream, len(self.facts), self.hashes[-1], fact.body))

    def cut(self, keep: int) -> list[Stated]:
        """Take the entries after a place away; returns their facts."""
        gone = self.facts[keep:]
        del self.facts[keep:], self.hashes[keep + 1 :]
        return gone

    def at(self, place: int) -> str | None:
        """The hash at a place, None past the end."""
        return self.hashes[place] if place <= len(self.facts) else None

    def state(self, seen: int | None = None) -> EpochState:
        """As it is shown to a peer that named `seen` as its head."""
        meets = self.hashes[seen] if seen is not None and seen < self.head else None
        return EpochState(self.stream, self.epoch, self.head, self.hashes[-1], self.parent, meets)

    def copy(self) -> Chain:
        """The same, apart."""
        made = Chain(self.stream, self.epoch, self.parent)
        made.facts, made.hashes = self.facts[:], self.hashes[:]
        return made

    def broken(self) -> int:
        """The first place whose hash is wrong, 0 when all hold."""
        for place, fact in enumerate(self.facts, start=1):
            if self.hashes[place] != next_hash(self.epoch, self.stream, place, self.hashes[place - 1], fact.body):
                return place
        return 0


@dataclass
class Rows:
    """What one author's facts became at one node, and what of them is kept out."""

    done: dict[str, None] = field(default_factory=dict)
    subjects: dict[str, tuple[str, ...]] = field(default_factory=dict)
    aside: dict[str, tuple[str, Stated]] = field(default_factory=dict)
    blocked: set[str] = field(default_factory=set)

    def apply(self, facts: Sequence[Stated], old: bool) -> None:
        """Apply in order what had no effect yet; keep out what cannot be read, and what speaks of its subject."""
        for fact in facts:
            if self.knows(fact.fact_id):
                continue
            if fact.kind == "poison":
                self._keep_out(fact, "quarantined")
            elif fact.kind == "newer" and old:
                self._keep_out(fact, "parked")
            elif fact.subject in self.blocked:
                self._keep_out(fact, "held")
            else:
                self.done[fact.fact_id] = None
                self.subjects[fact.subject] = (*self.subjects.get(fact.subject, ()), fact.fact_id)

    def knows(self, fact_id: str) -> bool:
        """Whether it had its effect, or is kept out."""
        return fact_id in self.done or fact_id in self.aside

    def retry(self, old: bool) -> None:
        """Try again what is kept out."""
        again = [fact for _, fact in self.aside.values()]
        self.aside, self.blocked = {}, set()
        self.apply(again, old)

    def copy(self) -> Rows:
        """The same, apart."""
        return Rows(dict(self.done), dict(self.subjects), dict(self.aside), set(self.blocked))

    def _keep_out(self, fact: Stated, why: str) -> None:
        self.aside[fact.fact_id] = (why, fact)
        self.blocked.add(fact.subject)


@dataclass(frozen=True)
class Anchor:
    """What a node remembers outside its database."""

    instance: str
    heads: dict[str, tuple[str, int, str]]
    counter: int
    floor_ms: int


@dataclass
class Database:
    """One node's database. own and copies: stream -> its epochs, oldest first. positions: how far each was applied."""

    instance: str = ""
    incarnation: str = ""
    own: dict[str, list[Chain]] = field(default_factory=dict)
    copies: dict[str, list[Chain]] = field(default_factory=dict)
    rows: dict[str, Rows] = field(default_factory=dict)
    positions: dict[tuple[str, str], int] = field(default_factory=dict)
    counter: int = 0
    floor_ms: int = 0
    incidents: int = 0
    through: dict[str, int] = field(default_factory=dict)
    counters: dict[str, int] = field(default_factory=dict)
    sessions: dict[str, str] = field(default_factory=dict)
    visits: dict[str, list[Visit]] = field(default_factory=dict)
    callers: dict[str, Visit] = field(default_factory=dict)
    held: set[str] = field(default_factory=set)
    settled: dict[str, set[str]] = field(default_factory=dict)

    def copy(self) -> Database:
        """The same, apart."""
        return Database(
            self.instance,
            self.incarnation,
            {stream: [chain.copy() for chain in chains] for stream, chains in self.own.items()},
            {stream: [chain.copy() for chain in chains] for stream, chains in self.copies.items()},
            {author: rows.copy() for author, rows in self.rows.items()},
            dict(self.positions),
            self.counter,
            self.floor_ms,
            self.incidents,
            dict(self.through),
            dict(self.counters),
            dict(self.sessions),
            {code: list(visits) for code, visits in self.visits.items()},
            dict(self.callers),
            set(self.held),
            {stream: set(epochs) for stream, epochs in self.settled.items()},
        )

    def streams(self) -> dict[str, list[Chain]]:
        """All that is held, written or copied."""
        return {**self.own, **self.copies}

    def rows_of(self, author: str) -> Rows:
        """The author's rows, perhaps none yet."""
        return self.rows.setdefault(author, Rows())

    def rebuild(self, old: bool) -> None:
        """All rows again from the chains: authors' own streams first, then the ways down."""
        self.rows, self.positions = {}, {}
        for stream, chains in sorted(self.streams().items(), key=lambda item: (">" in item[0], item[0])):
            self.apply_stream(stream, chains, old)

    def overtaken(self, stream: str) -> bool:
        """Whether an epoch has entries to apply though a later one was applied: two lives of an author at once."""
        waits = False
        for chain in self.copies[stream]:
            at = self.positions.get((stream, chain.epoch), 0)
            if waits and at:
                return True
            waits = waits or at < chain.head
        return False

    def apply_stream(self, stream: str, chains: Sequence[Chain], old: bool) -> None:
        """Apply each epoch from its position on."""
        for chain in chains:
            at = self.positions.get((stream, chain.epoch), 0)
            for fact in chain.facts[at:]:
                self.rows_of(fact.author).apply((fact,), old)
            self.positions[stream, chain.epoch] = chain.head
