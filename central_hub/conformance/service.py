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
    find_adoption,
    find_document,
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
    reports = [_reported(conn, line.code, line.last_contact_ms if line.state == "away" else None) for line in lines]
    now = hub.clock.now_ms()
    standards = {standard_id for standard_id, *_ in published}.union(*(report.in_force for report in reports))
    cells = {}
    for report in reports:
        assigned = assigned_to(conn, hub, report.plant)
        wanted = {key: Wanted(a.version, a.sha256, a.answer_by_ms) for key, a in assigned.items()}
        for standard_id in standards:
            mine = {(v, h): document for (i, v, h), document in published.items() if i == standard_id}
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


def _reported(conn: Connection, plant: str, away_since_ms: int | None) -> Reported:
    adoption, refused = find_adoption(conn, plant), find_rejection(conn, plant)
    ids = msgspec.json.decode(adoption.deviations, type=list[str]) if adoption else []
    return Reported(
        plant,
        away_since_ms,
        adoption.effective_hash if adoption else "",
        {adopted.standard_id: adopted for adopted in list_in_force(conn, plant)},
        tuple(list_deviations_of_ids(conn, plant, ids)),
        refused.reason if refused else "",
        {(said.standard_id, said.version): said for said in list_answers(conn, plant)},
    )


def _published(conn: Connection, hub: Hub) -> dict[tuple[str, int, str], AnyStandard]:
    found = {}
    for row in list_versions(conn, hub.code, "published", "withdrawn"):
        document = find_document(conn, row.standard_id, row.version, row.sha256)
        if document is not None:
            found[row.standard_id, row.version, row.sha256] = document
    return found
