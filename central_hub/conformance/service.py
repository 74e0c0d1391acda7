"""Reading who runs what: assigned by the hub, reported by the plants, judged in domain.py."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
from sqlalchemy import Connection

from central_hub.conformance.domain import Cell, Reported, Wanted, hash_differs, judge
from central_hub.hub import Hub
from central_hub.plants.queries import PlantLine, list_plants
from central_hub.standards.service import assigned_to
from shared.standards.documents import AnyStandard
from shared.standards.queries import (
    Adopted,
    document_of,
    find_adoption,
    find_rejection,
    list_deviations_of_ids,
    list_in_force,
    list_versions,
)
from shared.standards.rollout_queries import list_answers


@dataclass(frozen=True)
class PlantColumn:
    """A plant of the matrix: its line and its set as a whole. hash_differs: what it reports contradicts itself."""

    code: str
    name: str
    away_since_ms: int | None
    complete_through_ms: int | None
    effective_hash: str
    adopted_ms: int | None
    hash_differs: bool


@dataclass(frozen=True)
class Matrix:
    """Plants by standards."""

    plants: tuple[PlantColumn, ...]
    standards: tuple[str, ...]
    cells: dict[tuple[str, str], Cell]

    def count(self, *states: str) -> int:
        """How many cells are in one of these states."""
        return sum(cell.state in states for cell in self.cells.values())


def read_matrix(conn: Connection, hub: Hub) -> Matrix:
    """Everything, in the picture of one transaction."""
    published = _published(conn, hub)
    lines = list_plants(conn, hub.code, hub.settings.sync.away_after_s)
    in_force = _in_force(conn)
    reports = [_reported(conn, line, in_force.get(line.code, {})) for line in lines]
    now = hub.clock.now_ms()
    standards = set(published).union(*(report.in_force for report in reports))
    assigned = assigned_to(conn, hub, [report.plant for report in reports])
    cells = {}
    for report in reports:
        wanted = {key: Wanted(a.version, a.sha256, a.answer_by_ms) for key, a in assigned[report.plant].items()}
        for standard_id in standards:
            mine = published.get(standard_id, {})
            cells[standard_id, report.plant] = judge(standard_id, wanted.get(standard_id), mine, report, now)
    columns = tuple(_column(conn, line, report) for line, report in zip(lines, reports, strict=True))
    return Matrix(columns, tuple(sorted(standards)), cells)


def _column(conn: Connection, line: PlantLine, report: Reported) -> PlantColumn:
    adoption = find_adoption(conn, line.code)
    return PlantColumn(
        line.code,
        line.name,
        report.away_since_ms,
        line.complete_through_ms,
        report.effective_hash,
        adoption.adopted_ms if adoption else None,
        hash_differs(report),
    )


def _in_force(conn: Connection) -> dict[str, dict[str, Adopted]]:
    """Plant -> standard -> what is in force, in one query for all plants."""
    found: dict[str, dict[str, Adopted]] = {}
    for adopted in list_in_force(conn):
        found.setdefault(adopted.plant, {})[adopted.standard_id] = adopted
    return found


def _reported(conn: Connection, line: PlantLine, in_force: dict[str, Adopted]) -> Reported:
    plant, away_since_ms = line.code, line.last_contact_ms if line.state == "away" else None
    adoption, refused = find_adoption(conn, plant), find_rejection(conn, plant)
    ids = msgspec.json.decode(adoption.deviations, type=list[str]) if adoption else []
    return Reported(
        plant,
        away_since_ms,
        adoption.effective_hash if adoption else "",
        in_force,
        tuple(list_deviations_of_ids(conn, plant, ids)),
        refused.reason if refused else "",
        {(said.standard_id, said.version): said for said in list_answers(conn, plant)},
    )


def _published(conn: Connection, hub: Hub) -> dict[str, dict[tuple[int, str], AnyStandard]]:
    """Standard -> version and hash -> document, of every version ever published."""
    found: dict[str, dict[tuple[int, str], AnyStandard]] = {}
    for row in list_versions(conn, hub.code, "published", "withdrawn"):
        found.setdefault(str(row.standard_id), {})[row.version, row.sha256] = document_of(str(row.body))
    return found
