"""Named reads of waves, ways back and plants' answers."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, select

from shared.standards import tables

DAY_MS = 86_400_000


@dataclass(frozen=True)
class PlannedWave:
    """A wave of a plan; started_ms 0: it has not begun, starts_ms 0: a person starts it, answer_days 0: not asked."""

    number: int
    plants: tuple[str, ...]
    starts_ms: int
    answer_days: int
    started_ms: int

    @property
    def answer_by_ms(self) -> int:
        """Until when its plants are asked; 0: they are not, or not yet."""
        return self.started_ms + self.answer_days * DAY_MS if self.started_ms and self.answer_days else 0


@dataclass(frozen=True)
class Rollout:
    """A version that goes out in waves, or that was taken back; state planned|running|completed|rolled_back."""

    standard_id: str
    version: int
    state: str
    waves: tuple[PlannedWave, ...]
    back_to: int
    reason: str
    planned_by: str
    planned_ms: int | None
    ended_ms: int | None

    @property
    def next_wave(self) -> PlannedWave | None:
        """The first wave that has not begun; None when all have, or when the rollout is over."""
        if self.state not in ("planned", "running"):
            return None
        return next((wave for wave in self.waves if not wave.started_ms), None)

    def wave_of(self, plant: str) -> PlannedWave | None:
        """The wave that a plant is in."""
        return next((wave for wave in self.waves if plant in wave.plants), None)


@dataclass(frozen=True)
class Answer:
    """What a plant said when it was asked for its consent; from_ms 0: from now on."""

    plant: str
    standard_id: str
    version: int
    answer: str
    from_ms: int
    reason: str
    answered_by: str
    answered_ms: int


def list_rollouts(conn: Connection, hub: str, *states: str) -> list[Rollout]:
    """All of a hub's rollouts (in one of the states), by id and version."""
    table = tables.rollout
    query = select(table).where(table.c.author == hub)
    query = query.where(table.c.state.in_(states)) if states else query
    return [_rollout(row) for row in conn.execute(query.order_by(table.c.standard_id, table.c.version))]


def find_rollout(conn: Connection, hub: str, standard_id: str, version: int) -> Rollout | None:
    """The rollout of one version; None when it goes to all plants at once."""
    table = tables.rollout
    where = (table.c.author == hub, table.c.standard_id == standard_id, table.c.version == version)
    row = conn.execute(select(table).where(*where)).first()
    return _rollout(row) if row else None


def list_answers(conn: Connection, plant: str | None = None) -> list[Answer]:
    """What plants (or one) said, by standard and plant."""
    table = tables.answer
    query = select(table).where(table.c.author == plant) if plant else select(table)
    rows = conn.execute(query.order_by(table.c.standard_id, table.c.version, table.c.author))
    return [
        Answer(
            row.author,
            row.standard_id,
            row.version,
            row.answer,
            row.from_ms,
            row.reason,
            row.answered_by,
            row.answered_ms,
        )
        for row in rows
    ]


def _rollout(row: Row[Any]) -> Rollout:
    waves = tuple(
        PlannedWave(number, tuple(w["plants"]), w["starts_ms"], w["answer_days"], w["started_ms"])
        for number, w in enumerate(json.loads(row.waves), start=1)
    )
    return Rollout(
        row.standard_id,
        row.version,
        row.state,
        waves,
        row.back_to,
        row.reason,
        row.planned_by,
        row.planned_ms,
        row.ended_ms,
    )
