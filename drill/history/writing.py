"""A story into a database: as rows, in bulk and without a journal, or as facts in the journals of three plants.

Both go through the appliers of the product, so the rows are those that the facts would have given.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine, event

from drill.history.campaign import play
from drill.history.telling import DAY_MS, Phase, Story
from shared.clock import FixedClock
from shared.db.engine import write
from shared.ids import derived_id
from shared.journal.apply import Appliers
from shared.journal.bulk import record_many
from shared.journal.fact import AppliedFact, Draft, type_of
from shared.journal.journal import Journal
from shared.material import projection as material
from shared.transfers import projection as transfers

YEARS = 10
END_MS = 1_773_187_200_000
"""2026-03-11T00:00Z, the day of the example group."""
PIECES_A_SEQUENCE = 255
"""About what becomes of the six heats of a sequence, themselves included."""
SEQUENCES_AT_ONCE = 20
"""Sequences in one transaction: a few thousand pieces, so memory stays flat and statements are long."""
PLANTS = ("ALD", "BRK", "CLD")


CACHE_KIB = 2_000_000
"""Of SQLite's pages in memory while it fills: the keys of many indexes come in no order."""


@dataclass(frozen=True, slots=True)
class Written:
    """What came of it."""

    materials: int
    facts: int


def hurry(engine: Engine) -> None:
    """Have SQLite wait for no disk and keep no log: what is made up can be made up again after a crash."""
    if engine.dialect.name != "sqlite":
        return

    @event.listens_for(engine, "connect")
    def on_connect(connection: Any, _record: Any) -> None:
        for pragma in ("journal_mode=OFF", "synchronous=OFF", f"cache_size=-{CACHE_KIB}"):
            connection.execute(f"PRAGMA {pragma}")


def write_history(
    engine: Engine, materials: int, seed: int = 1, *, recorded: int = 0, told: Callable[[int], None] = lambda _: None
) -> Written:
    """Write a group of ten years with at least so many pieces into empty tables.

    recorded: so many facts at least, the oldest, go through journals (so that a rebuild finds them); the rest are rows.
    told: called with the pieces written so far, after each transaction.
    """
    appliers = Appliers()
    for subject in (material, transfers):
        subject.register(appliers)
    clock = FixedClock(END_MS)
    journals = {plant: Journal(plant, engine, clock, appliers) for plant in PLANTS}
    pieces = facts = 0
    for phases, born in _batches(materials, seed):
        if facts < recorded:
            for author, drafts in phases:
                with journals[author].work() as tx:
                    record_many(tx, drafts)
        else:
            with write(engine) as conn:
                for author, drafts in phases:
                    appliers.write_rows(conn, [_applied(author, draft) for draft in drafts])
        facts += sum(len(drafts) for _, drafts in phases)
        pieces += born
        told(pieces)
        if pieces >= materials:
            break
    return Written(pieces, facts)


def _batches(materials: int, seed: int) -> Iterator[tuple[list[Phase], int]]:
    """Some sequences at a time, their like phases joined: one author's facts of one type in one call."""
    stories, at_once = stories_of(materials, seed), max(1, min(SEQUENCES_AT_ONCE, materials // PIECES_A_SEQUENCE))
    while batch := [play(story) for story in itertools.islice(stories, at_once)]:
        joined: dict[tuple[str, int], list[Draft[Any]]] = {}
        for phases, _ in batch:
            for at, (author, drafts) in enumerate(phases):
                joined.setdefault((author, at), []).extend(drafts)
        yield (
            [(author, joined[author, at]) for author, at in sorted(joined, key=lambda k: k[1])],
            sum(b for _, b in batch),
        )


def stories_of(materials: int, seed: int) -> Iterator[Story]:
    """Sequences spread over the ten years up to the end; should their pieces come out fewer than thought, more between."""
    count = max(1, materials // PIECES_A_SEQUENCE)
    first, between = END_MS - YEARS * 365 * DAY_MS, YEARS * 365 * DAY_MS // count
    for number in itertools.count():
        late = 0 if number < count else between // 2
        yield Story(seed, number, first + number % count * between + late, END_MS)


def _applied(author: str, draft: Draft[Any]) -> AppliedFact[Any]:
    name, _ = type_of(draft.payload)
    fact_id = draft.fact_id or derived_id(draft.occurred.at_ms, author, name)
    return AppliedFact(
        fact_id,
        name,
        author,
        draft.actor,
        draft.subjects,
        draft.occurred,
        END_MS,
        None,
        draft.payload,
    )
