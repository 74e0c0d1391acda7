"""What a data collection still lacks of a piece."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from shared.db.bulk import among
from shared.standards.work_kinds import DataCollection, DataItem
from shared.tasks.tables import collected

Records = Mapping[tuple[str, str], dict[str, Any]]
"""(standard, material id) -> values, later records over earlier ones."""


@dataclass(frozen=True)
class Visit:
    """A piece, or what it was made of, in a unit. inside: it is still there and nothing was made of it."""

    unit: str
    at_ms: int
    inside: bool = False


@dataclass(frozen=True)
class Due:
    """A data collection of one piece at one class of equipment. missing: required items that nobody has told yet;
    inside: the piece is still in the unit that is to tell them."""

    document: DataCollection
    unit: str
    since_ms: int
    values: dict[str, Any]
    missing: tuple[DataItem, ...]
    inside: bool = False

    @property
    def by_hand(self) -> tuple[DataItem, ...]:
        """Missing ones that a person may tell."""
        return tuple(item for item in self.missing if item.source != "level2")

    @property
    def holds_step(self) -> bool:
        """Whether the piece waits for it."""
        return bool(self.missing) and self.document.if_missing == "hold_step"

    @property
    def said(self) -> str:
        """What is missing, in words."""
        return ", ".join(item.text for item in self.missing)


def read_records(conn: Connection, plant: str, ids: Iterable[str], until_ms: int | None = None) -> Records:
    """Everything recorded of these pieces at a plant, up to a time where one is given."""
    found: dict[tuple[str, str], dict[str, Any]] = defaultdict(dict)
    query = select(collected).where(collected.c.author == plant, among(conn, collected.c.material_id, sorted(set(ids))))
    query = query if until_ms is None else query.where(collected.c.at_ms <= until_ms)
    for row in conn.execute(query.order_by(collected.c.at_ms, collected.c.record_id)):
        found[row.standard_id, row.material_id] |= json.loads(row._mapping["values"])
    return found


def due_of(document: DataCollection, kind: str, line: Collection[str], visit: Visit, records: Records) -> Due | None:
    """What of a collection is known of a piece, told of it or of what it was made of; None where it asks of others."""
    if document.per != ("heat" if kind == "heat" else "piece"):
        return None
    values: dict[str, Any] = {}
    for one in sorted(line):
        values |= records.get((document.id, one), {})
    missing = tuple(item for item in document.items if item.required and item.name not in values)
    return Due(document, visit.unit, visit.at_ms, values, missing, visit.inside)


def first_missing(dues: Sequence[Due]) -> str:
    """Why a piece must wait for data, in words; empty when it need not."""
    held = [due for due in dues if due.holds_step]
    return "; ".join(f"{due.document.title}: {due.said} missing" for due in held)
