"""Reading who runs what: assigned by the hub, reported by the plants, judged in domain.py."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import msgspec
from sqlalchemy import Connection, Row

from central_hub.conformance.domain import Cell, Published, Reported, State, Wanted, hash_differs, judge
from central_hub.hub import Hub
from central_hub.plants.queries import PlantLine, list_plants
from central_hub.standards.plants_own import list_own_versions
from central_hub.standards.service import assigned_to
from shared.standards.documents import AnyStandard
from shared.standards.edit_rows import find_edits
from shared.standards.group_rule import GROUP_RULE
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
    """Plants by standards. kinds: standard -> its kind, of those that the group ever published."""

    plants: tuple[PlantColumn, ...]
    standards: tuple[str, ...]
    cells: dict[tuple[str, str], Cell]
    kinds: Mapping[str, str]

    @cached_property
    def counts(self) -> Counter[State]:
        """How many cells are in each state."""
        return Counter(cell.state for cell in self.cells.values())

    def count(self, *states: State) -> int:
        """How many cells are in one of these states."""
        return sum(self.counts[state] for state in states)


@dataclass(frozen=True)
class Wish:
    """Which part of the matrix is wanted; empty: all of that."""

    plant: str = ""
    kind: str = ""
    standard_id: str = ""

    def has(self, standard_id: str, kind: str) -> bool:
        """Whether a standard belongs to the part."""
        return self.standard_id in ("", standard_id) and self.kind in ("", kind)


def read_matrix(conn: Connection, hub: Hub, wish: Wish = Wish()) -> Matrix:
    """The wanted part, in the picture of one transaction."""
    # a rule of the hub is run by no plant
    rows = [row for row in list_versions(conn, hub.code, "published", "withdrawn") if row.kind != GROUP_RULE]
    rows += list_own_versions(conn, hub)
    kinds = {str(row.standard_id): str(row.kind) for row in rows}
    published = _published(row for row in rows if wish.has(row.standard_id, row.kind))
    lines = [
        line for line in list_plants(conn, hub.code, hub.settings.sync.away_after_s) if wish.plant in ("", line.code)
    ]
    in_force = _in_force(conn, wish.plant or None)
    reports = [_reported(conn, line, in_force.get(line.code, {})) for line in lines]
    standards = {
        name
        for name in set(published).union(*(r.in_force for r in reports), *(r.edits for r in reports))
        if wish.has(name, kinds.get(name, ""))
    }
    return Matrix(
        tuple(_column(conn, line, report) for line, report in zip(lines, reports, strict=True)),
        tuple(sorted(standards)),
        _judge_all(conn, hub, sorted(standards), published, reports),
        kinds,
    )


def _judge_all(
    conn: Connection,
    hub: Hub,
    standards: Sequence[str],
    published: Mapping[str, Published],
    reports: Sequence[Reported],
) -> dict[tuple[str, str], Cell]:
    now, nothing = hub.clock.now_ms(), Published({})
    assigned = assigned_to(conn, hub, [report.plant for report in reports])
    cells = {}
    for report in reports:
        mine = assigned[report.plant]
        for standard_id in standards:
            found = mine.get(standard_id)
            wanted = Wanted(found.version, found.sha256, found.answer_by_ms) if found else None
            known = published.get(standard_id, nothing)
            cells[standard_id, report.plant] = judge(standard_id, wanted, known, report, now)
    return cells


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


def _in_force(conn: Connection, plant: str | None) -> dict[str, dict[str, Adopted]]:
    """Plant -> standard -> what is in force, in one query for all plants."""
    found: dict[str, dict[str, Adopted]] = {}
    for adopted in list_in_force(conn, plant):
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
        find_edits(conn, plant).differences,
    )


def _published(rows: Iterable[Row[Any]]) -> dict[str, Published]:
    """Standard -> every version of it that was ever published."""
    found: dict[str, dict[tuple[int, str], AnyStandard]] = {}
    for row in rows:
        found.setdefault(str(row.standard_id), {})[row.version, row.sha256] = document_of(str(row.body))
    return {standard_id: Published(documents) for standard_id, documents in found.items()}
