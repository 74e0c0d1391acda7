"""What Level 2 said in a stretch of time, by what it names: to find the messages that speak of a piece, and their fate.

A number on a label is often made of parts that messages carry apart (heat, strand, cut), so a message speaks of a piece
when its fields have the number, or every part of it.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec
from sqlalchemy import func, select

from local_mes.level2.link_course import GAP
from local_mes.level2.spool import get_key
from local_mes.level2.spool_tables import link_history, message
from local_mes.level2.tables import repair, spool_waiting
from local_mes.plant import Plant
from shared.db.engine import read


@dataclass(frozen=True)
class Said:
    """One spooled message; received_ms UTC."""

    spool_id: int
    link: str
    message: str
    received_ms: int


@dataclass
class Spoken:
    """All of a stretch of time.

    repairs  rows of the repair queue that are not mended, by spool_id      waits  why others wait, by spool_id
    gaps     lines of the links' histories that say that something is missing, oldest first
    """

    said: dict[int, Said] = field(default_factory=dict)
    naming: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    repairs: dict[int, Any] = field(default_factory=dict)
    waits: dict[int, str] = field(default_factory=dict)
    gaps: list[Any] = field(default_factory=list)

    def find(self, number: str) -> list[Said]:
        """The messages that speak of a piece, oldest first."""
        whole = self.naming.get(number.casefold())
        parts = [part for part in re.split(r"[^0-9a-z]+", number.casefold()) if part]
        found = whole or set.intersection(*(self.naming.get(_plain(part), set()) for part in parts or ("",)))
        return [self.said[spool_id] for spool_id in sorted(found)]


def read_spoken(plant: Plant, from_ms: int, to_ms: int) -> Spoken:
    """Read the spool, the repair queue and the links' histories of [from_ms, to_ms) once."""
    spoken = Spoken()
    c, h = message.c, link_history.c
    with read(plant.spool) as conn:
        columns = (c.spool_id, c.link, c.message, c.received_ms, c.fields)
        query = select(*columns).where(c.received_ms >= from_ms, c.received_ms < to_ms).order_by(c.spool_id)
        for row in conn.execution_options(yield_per=1_000).execute(query):
            spoken.said[row.spool_id] = Said(row.spool_id, row.link, row.message, row.received_ms)
            for value in _values(msgspec.json.decode(row.fields)):
                spoken.naming[value].add(row.spool_id)
        gaps = select(link_history).where(h.kind == GAP, h.at_ms >= from_ms, h.at_ms < to_ms).order_by(h.at_ms)
        spoken.gaps = list(conn.execute(gaps))
    key = get_key(plant.spool)
    open_or_dismissed = (repair.c.spool == key, repair.c.received_ms >= from_ms, repair.c.state != "mended")
    with read(plant.node.engine) as conn:
        spoken.repairs = {row.spool_id: row for row in conn.execute(select(repair).where(*open_or_dismissed))}
        waiting = conn.execute(select(spool_waiting).where(spool_waiting.c.spool == key))
        spoken.waits = {row.spool_id: row.reason for row in waiting}
    return spoken


def count_gaps(plant: Plant, since_ms: int) -> int:
    """How often something was missing in what was heard since then."""
    query = select(func.count()).where(link_history.c.kind == GAP, link_history.c.at_ms >= since_ms)
    with read(plant.spool) as conn:
        return int(conn.execute(query).scalar_one())


def _values(fields: Any) -> Iterator[str]:
    """All single values below, as they would stand in a number."""
    if isinstance(fields, dict):
        yield from _all(fields.values())
    elif isinstance(fields, list):
        yield from _all(fields)
    elif isinstance(fields, str):
        yield fields.strip().casefold()
        yield _plain(fields.strip().casefold())
    elif isinstance(fields, int) and not isinstance(fields, bool):
        yield str(fields)


def _all(parts: Iterable[Any]) -> Iterator[str]:
    for part in parts:
        yield from _values(part)


def _plain(text: str) -> str:
    """Digits without leading noughts: 007 and 7 are one part of a number."""
    return text.lstrip("0") or "0" if text.isdigit() else text
