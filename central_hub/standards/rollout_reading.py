"""What the rollout's page and API show: its waves with each plant's state, the evidence, and what comes when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from central_hub.conformance.domain import Cell
from central_hub.conformance.service import Wish, read_matrix
from central_hub.hub import Hub
from central_hub.standards.evidence import Evidence, read_evidence
from shared.standards.queries import find_version, list_deviations, list_versions
from shared.standards.rollout_queries import PlannedWave, Rollout, find_rollout, list_answers, list_rollouts

CALENDAR_MAX = 500
"""Lines of the calendar: more are not read by anybody."""


@dataclass(frozen=True)
class WaveNow:
    """A wave with the state of each of its plants."""

    wave: PlannedWave
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class RolloutNow:
    """A rollout as it stands; others: plants of no wave, which get the version when it is completed."""

    rollout: Rollout
    waves: tuple[WaveNow, ...]
    others: tuple[Cell, ...]
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True)
class Coming:
    """One line of the calendar: when, which version, where, what happens."""

    at_ms: int
    standard_id: str
    version: int
    where: str
    what: str


def read_rollout(conn: Connection, hub: Hub, standard_id: str, version: int) -> RolloutNow | None:
    """The rollout of a version; None when there is none."""
    rollout = find_rollout(conn, hub.code, standard_id, version)
    row = find_version(conn, hub.code, standard_id, version)
    if rollout is None or row is None:
        return None
    matrix = read_matrix(conn, hub, Wish(standard_id=standard_id))
    mine = {plant: cell for (_, plant), cell in matrix.cells.items()}
    waves = tuple(WaveNow(w, tuple(mine[p] for p in w.plants if p in mine)) for w in rollout.waves)
    named = {plant for wave in rollout.waves for plant in wave.plants}
    others = tuple(cell for plant, cell in sorted(mine.items()) if plant not in named)
    is_rule = row.kind == "quality_rule"
    evidence = read_evidence(conn, standard_id, version, is_rule, hub.clock.now_ms())
    return RolloutNow(rollout, waves, others, tuple(evidence))


def read_calendar(conn: Connection, hub: Hub) -> list[Coming]:
    """What comes when, the nearest first: versions, waves, answers, agreed beginnings, deviations that end."""
    now = hub.clock.now_ms()
    lines = [*_versions(conn, hub), *_waves(list_rollouts(conn, hub.code, "planned", "running")), *_plants(conn)]
    return sorted((line for line in lines if line.at_ms > now), key=lambda line: line.at_ms)[:CALENDAR_MAX]


def _versions(conn: Connection, hub: Hub) -> list[Coming]:
    rows = list_versions(conn, hub.code, "approved", "awaiting_signatures", "published")
    return [
        Coming(row.effective_from_ms, row.standard_id, row.version, "its plants", "takes hold")
        for row in rows
        if row.effective_from_ms
    ]


def _waves(rollouts: Sequence[Rollout]) -> list[Coming]:
    lines = []
    for rollout in rollouts:
        for wave in rollout.waves:
            where = ", ".join(wave.plants)
            if wave.starts_ms and not wave.started_ms:
                what = f"wave {wave.number} begins"
                lines.append(Coming(wave.starts_ms, rollout.standard_id, rollout.version, where, what))
            if wave.answer_by_ms:
                what = f"answers of wave {wave.number} are due"
                lines.append(Coming(wave.answer_by_ms, rollout.standard_id, rollout.version, where, what))
    return lines


def _plants(conn: Connection) -> list[Coming]:
    agreed = [
        Coming(said.from_ms, said.standard_id, said.version, said.plant, "begins as agreed")
        for said in list_answers(conn)
        if said.answer == "accepted" and said.from_ms
    ]
    return agreed + [
        Coming(d.expires_ms, d.standard_id, 0, d.plant, f"deviation of {d.parameter} ends")
        for d in list_deviations(conn)
        if d.ended_ms is None
    ]
