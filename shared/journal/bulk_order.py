"""Bringing facts of one type together without changing what comes of them.

A plant's facts alternate: born, moved, weighed, born, moved ... Applied as they come, each is a statement of its own. Two
facts that speak of nothing in common may change places; so each fact is put on the lowest level that is above all
earlier facts of other types which it shares something with, and a level is applied type by type.

What a fact speaks of: its subjects, and every id in its bytes. The content hash proves it daily: a plant applies its
facts one at a time, the hub in this order, and both must come to the same rows.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import Any

from shared.journal.fact import AppliedFact
from shared.journal.reading import Stored

Read = tuple[Stored, AppliedFact[Any]]

_IDS = re.compile(rb'"([0-9a-f]{32})"')


def bulk_order(facts: Sequence[Read]) -> list[Read]:
    """The same facts, of one author: those that share something in their order, others by level and type."""
    last: dict[str | bytes, tuple[int, str]] = {}
    places: list[tuple[int, int]] = []
    seen: dict[str, int] = {}
    for item, value in facts:
        tokens, kind, level = _speaks_of(item, value), value.type, 0
        for known in map(last.get, tokens):
            if known is not None and known[0] + (known[1] != kind) > level:
                level = known[0] + (known[1] != kind)
        last.update(dict.fromkeys(tokens, (level, kind)))
        places.append((level, seen.setdefault(kind, len(seen))))
    return [facts[at] for at in sorted(range(len(facts)), key=places.__getitem__)]


def _speaks_of(item: Stored, value: AppliedFact[Any]) -> Collection[str | bytes]:
    ids: set[str | bytes] = set(_IDS.findall(item.body))
    ids.discard(value.actor.encode())  # one person's facts need not wait for each other
    ids.update(value.subjects)
    return ids
