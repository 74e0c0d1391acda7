"""What came of a day: decisions, holds, tasks and all else that was recorded, and where two such days differ."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, select

from shared.journal.fact import AppliedFact, decode
from shared.journal.reading import all_streams, entries_after, lives
from shared.material.tables import material
from shared.quality.facts import CheckDecided, HoldPlaced
from shared.standards.documents import QualityRule, Workflow
from shared.standards.queries import find_document, find_in_force

ACTOR = "staging"
SHOWN_MAX = 200
"""Differences listed; the counts are whole."""
FAILED = ("hold", "mark", "case")
COUNTED = {"CheckDecided", "HoldPlaced"}
"""Types that are counted by name already."""


@dataclass
class Came:
    """Of a day: (what, rule, piece) -> outcome with its reason, and how many facts of each type."""

    said: dict[tuple[str, str, str], tuple[str, str]] = field(default_factory=dict)
    types: Counter[str] = field(default_factory=Counter)

    def count(self, what: str) -> int:
        """How many decisions, holds or tasks."""
        return sum(1 for key in self.said if key[0] == what)


@dataclass(frozen=True)
class Difference:
    """One decision, hold or task that is not the same. was, now: "" where there is none."""

    what: str
    rule: str
    piece: str
    was: str
    now: str
    why: str


@dataclass(frozen=True)
class Compared:
    """Two playings of a day, without and with the standard.

    types: of other facts, where their number differs. alike_ppm: decisions of the real day that the first repeats.
    """

    messages: int
    before: dict[str, int]
    after: dict[str, int]
    differing: int
    differences: tuple[Difference, ...]
    types: tuple[tuple[str, int, int], ...]
    alike_ppm: int

    @property
    def text(self) -> str:
        """In a sentence, for the record."""
        counts = ", ".join(f"{what} {self.before[what]} then, {self.after[what]} with it" for what in self.before)
        return f"{self.messages} messages played: {counts}; {self.differing} differ"


def what_came(conn: Connection, plant: str, from_ms: int, to_ms: int) -> Came:
    """Of the facts that the plant recorded in a time."""
    came = Came()
    for found in _recorded(conn, plant, from_ms, to_ms):
        if found.actor == ACTOR:  # what put it in force in the copy
            continue
        payload = found.payload
        came.types[type(payload).__name__] += 1
        if isinstance(payload, CheckDecided):
            came.said["decisions", payload.rule_id, payload.material_id] = (payload.outcome, payload.explanation)
            if payload.outcome in FAILED:
                came.said |= _tasks(conn, plant, payload)
        elif isinstance(payload, HoldPlaced):
            came.said["holds", payload.rule_id, payload.material_id] = ("held", payload.reason)
    return came


def compare(real: Came, before: Came, after: Came, messages: int, numbers: dict[str, str]) -> Compared:
    """The day as it was played again beside the day with the standard."""
    keys = sorted(
        key for key in before.said.keys() | after.said.keys() if _outcome(before, key) != _outcome(after, key)
    )
    real_checks = [key for key in real.said if key[0] == "decisions"]
    alike = sum(1 for key in real_checks if _outcome(real, key) == _outcome(before, key))
    types = [
        name for name in sorted({*before.types, *after.types} - COUNTED) if before.types[name] != after.types[name]
    ]
    return Compared(
        messages,
        {what: before.count(what) for what in ("decisions", "holds", "tasks")},
        {what: after.count(what) for what in ("decisions", "holds", "tasks")},
        len(keys),
        tuple(_difference(key, before, after, numbers) for key in keys[:SHOWN_MAX]),
        tuple((name, before.types[name], after.types[name]) for name in types),
        1_000_000 * alike // len(real_checks) if real_checks else 1_000_000,
    )


def numbers_of(conn: Connection, plant: str) -> dict[str, str]:
    """Piece -> its number."""
    rows = conn.execute(select(material.c.material_id, material.c.number).where(material.c.author == plant))
    return {row.material_id: row.number for row in rows}


def _difference(key: tuple[str, str, str], before: Came, after: Came, numbers: dict[str, str]) -> Difference:
    why = after.said.get(key) or before.said[key]
    return Difference(key[0], key[1], numbers.get(key[2], key[2]), _outcome(before, key), _outcome(after, key), why[1])


def _outcome(came: Came, key: tuple[str, str, str]) -> str:
    return came.said.get(key, ("", ""))[0]


def _tasks(
    conn: Connection, plant: str, failed: CheckDecided
) -> Iterator[tuple[tuple[str, str, str], tuple[str, str]]]:
    """What the rule's workflow asks of people."""
    rule = find_document(conn, failed.rule_id, failed.rule_version, failed.rule_hash)
    name = rule.rule.otherwise.workflow if isinstance(rule, QualityRule) else ""
    adopted = find_in_force(conn, plant, name) if name else None
    flow = find_document(conn, name, adopted.version, adopted.sha256) if name and adopted else None
    for n, action in enumerate(flow.actions if isinstance(flow, Workflow) else (), 1):
        yield ("tasks", f"{failed.rule_id}, step {n}", failed.material_id), (f"{action.role}: {action.text}", "")


def _recorded(conn: Connection, plant: str, from_ms: int, to_ms: int) -> Iterator[AppliedFact[Any]]:
    for stream in (name for name in all_streams(conn) if name == plant):
        for life in lives(conn, stream):
            seq = 0
            while items := entries_after(conn, stream, life.epoch, seq, 2_000):
                for item in items:
                    if from_ms <= item.recorded_at_ms < to_ms and item.author == plant:
                        yield decode(item.body)
                seq = items[-1].seq
