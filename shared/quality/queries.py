"""Named reads of quality: what is known of a heat's steel, what holds a piece, what was decided."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, and_, literal, select

from shared.db.bulk import among
from shared.material.tables import edge, material
from shared.quality.domain import Analysis, Held, Value, open_for
from shared.quality.tables import decision, hold, sample, sample_value

FINAL_PLACE = "LFF"
"""The analysis that counts for a heat: ladle furnace, final (domain.md, 6: a rule chooses; here by place)."""
GENERATIONS_MAX = 50
"""Deeper than any route; ends the walk should two authors ever disagree into a circle."""


def find_final_analysis(conn: Connection, heat_id: str) -> Analysis | None:
    """The final analysis of a heat, the latest sample of it; None while it is awaited."""
    rows = conn.execute(
        select(sample)
        .where(sample.c.material_id == heat_id, sample.c.place == FINAL_PLACE)
        .order_by(sample.c.taken_at_ms.desc(), sample.c.analysed_at_ms.desc(), sample.c.sample_id.desc())
    ).first()
    return None if rows is None else _analysis(conn, rows)


def find_final_analyses(conn: Connection, heat_ids: Iterable[str]) -> dict[str, Analysis]:
    """Final analyses of several heats, by heat; those without one are left out."""
    found = {heat_id: find_final_analysis(conn, heat_id) for heat_id in sorted(set(heat_ids))}
    return {heat_id: analysis for heat_id, analysis in found.items() if analysis is not None}


def find_samples(conn: Connection, material_id: str) -> list[Analysis]:
    """All analyses of a piece, in the order the samples were taken."""
    rows = conn.execute(
        select(sample).where(sample.c.material_id == material_id).order_by(sample.c.taken_at_ms, sample.c.sample_id)
    ).all()
    return [_analysis(conn, row) for row in rows]


def find_sample(conn: Connection, author: str, sample_id: str) -> Analysis | None:
    """One analysis, or None."""
    row = conn.execute(select(sample).where(sample.c.author == author, sample.c.sample_id == sample_id)).first()
    return None if row is None else _analysis(conn, row)


def list_samples(
    conn: Connection, author: str = "", place: str = "", material_id: str = "", after: str = "", limit: int = 50
) -> list[Analysis]:
    """Analyses, the youngest first, at most limit + 1; after = sample_id of the last one seen."""
    query = select(sample).order_by(sample.c.sample_id.desc(), sample.c.author).limit(limit + 1)
    for column, wanted in ((sample.c.author, author), (sample.c.place, place), (sample.c.material_id, material_id)):
        query = query.where(column == wanted) if wanted else query
    if after:
        query = query.where(sample.c.sample_id < after)
    return [_analysis(conn, row) for row in conn.execute(query).all()]


def _analysis(conn: Connection, row: Row[Any]) -> Analysis:
    values = conn.execute(
        select(sample_value)
        .where(sample_value.c.author == row.author, sample_value.c.sample_id == row.sample_id)
        .order_by(sample_value.c.element)
    )
    return Analysis(
        row.author,
        row.sample_id,
        row.sample_number,
        row.material_id,
        row.place,
        row.taken_at_ms,
        row.analysed_at_ms,
        {v.element: Value(v.value_e6, v.operator, v.digits) for v in values},
    )


def get_heat_shares(conn: Connection, slab_id: str) -> dict[str, int]:
    """A slab's heats with their shares in ppm, as its maker said; empty when it was not cast here or is not known."""
    rows = conn.execute(
        select(edge.c.parent_id, edge.c.share_ppm)
        .join(material, and_(material.c.author == edge.c.author, material.c.material_id == edge.c.parent_id))
        .where(edge.c.child_id == slab_id, edge.c.kind == "transform", material.c.kind == "heat")
    )
    return {row.parent_id: row.share_ppm for row in rows}


def find_cast_pieces(conn: Connection, heat_id: str, at_least_ppm: int = 1) -> list[tuple[str, int]]:
    """Slabs that carry at least this share of a heat, with it, in the order they were cut."""
    rows = conn.execute(
        select(edge.c.child_id, edge.c.share_ppm)
        .where(edge.c.parent_id == heat_id, edge.c.kind == "transform", edge.c.share_ppm >= at_least_ppm)
        .order_by(edge.c.operation_id, edge.c.ordinal)
    )
    return [(row.child_id, row.share_ppm) for row in rows]


def find_hold(conn: Connection, hold_id: str) -> Row[Any] | None:
    """One hold, whoever placed it, or None."""
    return conn.execute(select(hold).where(hold.c.hold_id == hold_id)).first()


def open_holds(conn: Connection, material_id: str) -> list[Held]:
    """What holds a piece now: its own open holds and those of the pieces it was made from.

    A hold of an ancestor counts while no hold here was inherited from it; one that was, and was released, stays released
    here. A heat's hold reaches its slabs only through the holds they were born with, because its share decides.
    """
    line = ancestry(conn, material_id)
    rows = conn.execute(
        select(hold).where(hold.c.material_id.in_(sorted(line)), hold.c.placed_at_ms.is_not(None))
    ).all()
    return open_for([_held(row, line[row.material_id]) for row in rows])


def held_of(conn: Connection, ids: Collection[str]) -> set[str]:
    """Those of these pieces and heats on which a hold is open: nothing else can hold them or what is made of them."""
    is_open = (hold.c.placed_at_ms.is_not(None), hold.c.released_at_ms.is_(None))
    return set(conn.execute(select(hold.c.material_id).where(among(conn, hold.c.material_id, ids), *is_open)).scalars())


def holding_elsewhere(conn: Connection, ids: Collection[str], but: str) -> dict[str, list[Held]]:
    """The same of several pieces, without the holds of one author: what plants themselves say, before the hub has
    carried it on."""
    lines = ancestries(conn, ids)
    reached = sorted({one for line in lines.values() for one in line})
    said = among(conn, hold.c.material_id, reached), hold.c.placed_at_ms.is_not(None), hold.c.author != but
    by_piece: dict[str, list[Row[Any]]] = {}
    for row in conn.execute(select(hold).where(*said)):
        by_piece.setdefault(row.material_id, []).append(row)
    return {
        piece: open_for([_held(row, steps) for one, steps in line.items() for row in by_piece.get(one, ())])
        for piece, line in lines.items()
    }


def ancestry(conn: Connection, material_id: str) -> dict[str, int]:
    """The piece and what it was made from, heats left out, with the number of steps up."""
    return ancestries(conn, [material_id])[material_id]


def ancestries(conn: Connection, ids: Collection[str]) -> dict[str, dict[str, int]]:
    """The same of several pieces: a read for each generation, however many they are."""
    parents: dict[str, set[str]] = {}
    front = sorted(set(ids))
    # asked of each parent by its id: a list of all heats would be the whole history, at every question
    is_heat = select(literal(1)).where(material.c.material_id == edge.c.parent_id, material.c.kind == "heat").exists()
    for _ in range(1, GENERATIONS_MAX):
        if not front:
            break
        children = among(conn, edge.c.child_id, front)
        parents |= {child: set() for child in front}
        for child, parent in conn.execute(
            select(edge.c.child_id, edge.c.parent_id).distinct().where(children, ~is_heat)
        ):
            parents[child].add(parent)
        front = sorted({one for child in front for one in parents[child]} - parents.keys())
    return {piece: _climb(piece, parents) for piece in ids}


def _climb(piece: str, parents: Mapping[str, Collection[str]]) -> dict[str, int]:
    found, front, steps = {piece: 0}, {piece}, 0
    while front:
        steps += 1
        front = {parent for child in front for parent in parents.get(child, ())} - found.keys()
        found |= dict.fromkeys(sorted(front), steps)
    return found


def _held(row: Row[Any], steps: int) -> Held:
    return Held(
        row.author,
        row.hold_id,
        row.material_id,
        row.reason,
        row.rule_id,
        row.decision_id,
        row.inherited_from,
        row.placed_at_ms,
        row.released_at_ms,
        steps,
    )


def list_holds(
    conn: Connection,
    author: str = "",
    state: str = "",
    ids: Sequence[str] | None = None,
    rule_id: str = "",
    after: str = "",
    limit: int = 50,
) -> Sequence[Row[Any]]:
    """Holds, the youngest first, at most limit + 1. state: open | released | '' ; ids narrows to pieces."""
    query = select(hold).where(hold.c.placed_at_ms.is_not(None)).order_by(hold.c.hold_id.desc()).limit(limit + 1)
    if state == "open":
        query = query.where(hold.c.released_at_ms.is_(None))
    elif state == "released":
        query = query.where(hold.c.released_at_ms.is_not(None))
    for column, wanted in ((hold.c.author, author), (hold.c.rule_id, rule_id)):
        query = query.where(column == wanted) if wanted else query
    if ids is not None:
        query = query.where(hold.c.material_id.in_(sorted(ids)))
    return conn.execute(query.where(hold.c.hold_id < after) if after else query).all()


def list_decisions(
    conn: Connection,
    author: str = "",
    outcome: str = "",
    rule_id: str = "",
    ids: Sequence[str] | None = None,
    after: str = "",
    limit: int = 50,
) -> Sequence[Row[Any]]:
    """Decisions, the youngest first, at most limit + 1."""
    query = select(decision).order_by(decision.c.decision_id.desc()).limit(limit + 1)
    wanted: Mapping[Any, str] = {decision.c.author: author, decision.c.outcome: outcome, decision.c.rule_id: rule_id}
    for column, value in wanted.items():
        query = query.where(column == value) if value else query
    if ids is not None:
        query = query.where(decision.c.material_id.in_(sorted(ids)))
    return conn.execute(query.where(decision.c.decision_id < after) if after else query).all()


def find_decision(conn: Connection, author: str, decision_id: str) -> Row[Any] | None:
    """One decision, or None."""
    return conn.execute(
        select(decision).where(decision.c.author == author, decision.c.decision_id == decision_id)
    ).first()


def is_held(conn: Connection, material_id: str) -> bool:
    """Whether anything holds the piece."""
    return bool(open_holds(conn, material_id))


def held_ids(conn: Connection, ids: Iterable[str]) -> set[str]:
    """Which of these pieces have an open hold of their own, for marking a list; see open_holds for the whole truth."""
    query = select(hold.c.material_id).where(
        hold.c.material_id.in_(sorted(set(ids))), hold.c.released_at_ms.is_(None), hold.c.placed_at_ms.is_not(None)
    )
    return set(conn.execute(query).scalars())
