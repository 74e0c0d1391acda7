"""Counting after a drill: what the plant recorded against what the hub holds, fact by fact and row by row."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, Engine, select

from shared.db.engine import read
from shared.journal.content_hash import content_hash
from shared.journal.tables import applied, entry
from shared.journal.verify import verify


@dataclass(frozen=True)
class Reckoning:
    """lost: facts of the plant that the hub does not hold or has not applied. duplicated: places at the hub of a fact
    that has a place already. findings: places where a chain at the hub does not hold."""

    lost: int
    duplicated: int
    same_rows: bool
    findings: int

    @property
    def sound(self) -> bool:
        """Whether all is as it should be."""
        return (self.lost, self.duplicated, self.findings) == (0, 0, 0) and self.same_rows

    def lines(self) -> list[str]:
        """The count as it is told."""
        return [
            f"lost                 {self.lost}",
            f"duplicated           {self.duplicated}",
            f"rows                 {'the same on both sides' if self.same_rows else 'DIFFERENT'}",
            f"chains               {'sound' if not self.findings else f'{self.findings} faults'}",
        ]


def reckon(plant: Engine, hub: Engine, code: str) -> Reckoning:
    """Compare the two databases; nothing is changed."""
    with read(plant) as here, read(hub) as there:
        recorded, held = facts_of(here, code), facts_of(there, code)
        done = set(there.execute(select(applied.c.fact_id).where(applied.c.author == code)).scalars())
        return Reckoning(
            lost=len(set(recorded) - (set(held) & done)),
            duplicated=len(held) - len(set(held)),
            same_rows=content_hash(here, code) == content_hash(there, code),
            findings=len(verify(there).findings),
        )


def facts_of(conn: Connection, stream: str) -> list[str]:
    """Ids of the facts that hold a place in a stream here, once a place."""
    return list(conn.execute(select(entry.c.fact_id).where(entry.c.stream == stream)).scalars())
