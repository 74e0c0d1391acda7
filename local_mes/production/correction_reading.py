"""What a correction needs to know: the step as it was last stated, the fact that stated it, and what stands on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, select

from local_mes.production import errors
from shared.journal.archived import bodies_of
from shared.journal.fact import AppliedFact, decode
from shared.material.correction_facts import Blocker, FactCorrected
from shared.material.correction_queries import standing_masses
from shared.material.facts import Consumed, Edge, Loss, MaterialTransformed
from shared.material.queries import find_making, find_material, losses_of
from shared.material.tables import edge, place_history
from shared.transfers.lines import LineFilter, find_lines

_EDGE = Edge.__struct_fields__
_GONE = {"consumed": "was used up", "scrapped": "was scrapped", "identified": "was identified as another piece"}


@dataclass(frozen=True)
class Step:
    """An operation as its author last stated it."""

    row: Row[Any]
    type: str
    """Of the fact that stated it."""
    parents: tuple[Consumed, ...]
    edges: tuple[Edge, ...]
    losses: tuple[Loss, ...]

    @property
    def children(self) -> list[str]:
        """Its products, in their order."""
        return list(dict.fromkeys(e.child_id for e in self.edges))

    def parent(self, material_id: str) -> Consumed | None:
        """What was charged of a parent, or None when it is none."""
        return next((p for p in self.parents if p.material_id == material_id), None)


def read_fact(conn: Connection, fact_id: str) -> AppliedFact[Any]:
    """A fact of this plant's own journal; refused where its bytes are not held here any more."""
    body = bodies_of(conn, [fact_id]).get(fact_id)
    if body is None:
        raise errors.fact_not_held(fact_id)
    return decode(body)


def get_step(conn: Connection, plant: str, piece: Row[Any]) -> Step:
    """The step that made a piece; refused when it was not made here."""
    row = find_making(conn, plant, piece.material_id)
    if row is None:
        raise errors.not_made_here(piece.number)
    said = read_fact(conn, row.fact_id)
    stated = said.payload.operation if isinstance(said.payload, FactCorrected) else said.payload
    if stated is None or (stated is said.payload and not isinstance(said.payload, MaterialTransformed)):
        raise errors.fact_not_held(row.fact_id)
    edges = conn.execute(
        select(edge).where(edge.c.author == plant, edge.c.operation_id == row.operation_id).order_by(edge.c.ordinal)
    )
    lines = tuple(Edge(**{name: getattr(e, name) for name in _EDGE}) for e in edges)
    return Step(
        row,
        said.type,
        _led(stated.parents, stated.edges, lines),
        lines,
        tuple(Loss(r.kind, r.g, bool(r.weighed)) for r in losses_of(conn, plant, row.operation_id)),
    )


def _led(parents: Sequence[Consumed], stated: Sequence[Edge], lines: Sequence[Edge]) -> tuple[Consumed, ...]:
    """What was charged, of the pieces it is known to be of now: a doubt that was resolved may have led the edges on."""
    now = {was.parent_id: line.parent_id for was, line in zip(stated, lines, strict=False)}
    return tuple(msgspec.structs.replace(p, material_id=now.get(p.material_id, p.material_id)) for p in parents)


def birth_fact(conn: Connection, plant: str, piece: Row[Any]) -> str:
    """The fact that brought a piece into the plant's books: the first that gave it a mass."""
    masses = standing_masses(conn, plant, piece.material_id)
    if not masses:
        raise errors.fact_not_held(piece.last_fact)
    return str(masses[0].fact_id)


def blockers(conn: Connection, plant: str, ids: Sequence[str], *, moved: bool = False) -> list[Blocker]:
    """Which of these pieces stand on what would be corrected: used up, scrapped, gone, used in part; with `moved`, also
    those that were moved since they were made, because somebody had them in hand."""
    found = []
    for material_id in ids:
        row = find_material(conn, plant, material_id)
        if row is None:
            continue
        why, where = _why(conn, row, moved)
        if why:
            found.append(Blocker(material_id, row.number, why, where))
    return found


def _why(conn: Connection, row: Row[Any], moved: bool) -> tuple[str, str]:
    if row.state == "shipped":
        lines = [x for x in find_lines(conn, LineFilter(material_id=row.material_id), limit=20) if not x.withdrawn]
        there = next((x.receiver for x in lines if x.sender == row.author), "")
        return f"was shipped to {there}" if there else "was shipped", there
    if row.state != "live":
        return _GONE.get(row.state, f"is {row.state}"), ""
    used = conn.execute(
        select(edge.c.operation_id).where(
            edge.c.author == row.author, edge.c.parent_id == row.material_id, edge.c.kind != "identity"
        )
    ).first()
    if used is not None:
        return "was used in part", ""
    return ("was moved since it was made", "") if moved and _was_moved(conn, row) else ("", "")


def _was_moved(conn: Connection, row: Row[Any]) -> bool:
    places = conn.execute(
        select(place_history.c.place).where(
            place_history.c.author == row.author, place_history.c.material_id == row.material_id
        )
    ).scalars()
    return len(set(places)) > 1
