"""The row of what a plant last found edited in its own database, and its reading."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Column, Connection, select

from shared.db.types import Int, Words, projection_table
from shared.db.upsert import upsert
from shared.journal.apply import Appliers
from shared.journal.fact import AppliedFact
from shared.standards.edit_facts import StandardsFoundEdited

edited = projection_table(
    # the last word of each plant
    "standards_edited",
    # JSON: standard -> a list of texts
    Column("differences", Words, nullable=False),
    Column("found_ms", Int, nullable=False),
)


@dataclass(frozen=True)
class Edits:
    """What a plant last found: standard -> fields in words; found_ms None: it never found anything."""

    differences: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    found_ms: int | None = None


def register(appliers: Appliers) -> None:
    """Hand the journal the applier of these."""
    appliers.add(StandardsFoundEdited, apply_found_edited)


def apply_found_edited(conn: Connection, group: Sequence[AppliedFact[StandardsFoundEdited]]) -> None:
    """A plant's last word replaces the one before."""
    last = {f.author: f for f in group}
    rows = [
        {
            "author": author,
            "differences": json.dumps(f.payload.differences, sort_keys=True),
            "found_ms": f.recorded_at_ms,
        }
        for author, f in last.items()
    ]
    upsert(conn, edited, rows, update=("differences", "found_ms"))


def find_edits(conn: Connection, plant: str) -> Edits:
    """What the plant last found."""
    row = conn.execute(select(edited).where(edited.c.author == plant)).first()
    if row is None:
        return Edits()
    return Edits({name: tuple(texts) for name, texts in json.loads(row.differences).items()}, row.found_ms)
