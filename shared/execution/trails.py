"""Reading the trails of pieces: what made them, what they were made of, where they were. Many at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, select

from shared.db.bulk import among
from shared.execution.way import Seen, Trail
from shared.material.queries import operations_of
from shared.material.tables import edge, place_history
from shared.quality.tables import hold

GENERATIONS_MAX = 30
"""Deeper than any route."""
Key = tuple[str, str]
ClassOf = Callable[[str, str], str]
"""(author, unit) -> the unit's class, empty where it is not known."""


def read_trails(conn: Connection, rows: Sequence[Row[Any]], class_of: ClassOf) -> dict[str, Trail]:
    """Material id -> trail, for rows of one author's pieces."""
    ids = {row.material_id for row in rows}
    parents, made_by = _line(conn, ids)
    everyone = sorted({*ids, *(p for of in parents.values() for p in of)})
    operations = operations_of(conn, {key for keys in made_by.values() for key in keys})
    places = _places(conn, everyone)
    back = _sent_back(conn, everyone)
    return {
        row.material_id: _trail(row, _ancestry(row.material_id, parents), made_by, operations, places, back, class_of)
        for row in rows
    }


def _trail(
    row: Row[Any],
    line: Sequence[str],
    made_by: Mapping[str, set[Key]],
    operations: Mapping[Key, Row[Any]],
    places: Mapping[str, Sequence[Row[Any]]],
    back: Mapping[str, Sequence[int]],
    class_of: ClassOf,
) -> Trail:
    done = {key: operations[key] for one in line for key in made_by.get(one, ()) if key in operations}
    seen = [Seen(o.unit, class_of(o.author, o.unit), o.ended_at_ms, made=True) for o in done.values()]
    made_at = {operations[key].unit for key in made_by.get(row.material_id, ()) if key in operations}
    stays = [(one, stay) for one in line for stay in places.get(one, ())]
    now = next((stay for one, stay in reversed(stays) if one == row.material_id and stay.place == row.place), None)
    inside = class_of(row.author, row.place) if row.state == "live" and row.place not in made_at else ""
    seen += [Seen(s.place, class_of(s.author, s.place), s.at_ms) for _, s in stays if not (inside and s is now)]
    known = tuple(sorted((one for one in seen if one.unit_class), key=lambda one: one.at_ms))
    words = tuple(sorted({at for one in line for at in back.get(one, ())}))
    since = now.at_ms if now is not None and inside else None
    return Trail(row.kind, known, inside, words, since, frozenset(line), row.thickness_um)


def _line(conn: Connection, ids: set[str]) -> tuple[dict[str, set[str]], dict[str, set[Key]]]:
    """Parents of every piece of the lines, and the operations that made each."""
    parents: dict[str, set[str]] = defaultdict(set)
    made_by: dict[str, set[Key]] = defaultdict(set)
    front, walked = set(ids), set(ids)
    for _ in range(GENERATIONS_MAX):
        if not front:
            break
        query = select(edge.c.author, edge.c.operation_id, edge.c.parent_id, edge.c.child_id)
        rows = conn.execute(query.where(among(conn, edge.c.child_id, sorted(front)))).all()
        for row in rows:
            parents[row.child_id].add(row.parent_id)
            made_by[row.child_id].add((row.author, row.operation_id))
        front = {row.parent_id for row in rows} - walked
        walked |= front
    return parents, made_by


def lines_of(conn: Connection, ids: set[str]) -> dict[str, list[str]]:
    """Material id -> the piece and all that it was made of."""
    parents, _ = _line(conn, ids)
    return {one: _ancestry(one, parents) for one in ids}


def _ancestry(material_id: str, parents: Mapping[str, set[str]]) -> list[str]:
    """The piece and all that it was made of."""
    found, front = {material_id}, {material_id}
    while front:
        front = {p for one in front for p in parents.get(one, ())} - found
        found |= front
    return sorted(found)


def _places(conn: Connection, ids: Sequence[str]) -> dict[str, list[Row[Any]]]:
    """Where pieces were: as they were made, and moved since; oldest first."""
    found: dict[str, list[Row[Any]]] = defaultdict(list)
    rows = conn.execute(
        select(place_history)
        .where(among(conn, place_history.c.material_id, list(ids)))
        .order_by(place_history.c.at_ms, place_history.c.fact_id)
    )
    for row in rows:
        found[row.material_id].append(row)
    return found


def _sent_back(conn: Connection, ids: Sequence[str]) -> dict[str, list[int]]:
    """When a hold ended with the word that the piece goes to rework."""
    query = select(hold.c.material_id, hold.c.released_at_ms).where(hold.c.disposition == "rework")
    found: dict[str, list[int]] = defaultdict(list)
    for row in conn.execute(query.where(among(conn, hold.c.material_id, list(ids)))):
        if row.released_at_ms is not None:
            found[row.material_id].append(row.released_at_ms)
    return found
