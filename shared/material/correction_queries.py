"""Named reads of corrections: what was said before, and the cases of those that could not be carried out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, and_, func, literal, or_, select
from sqlalchemy.sql.elements import ColumnElement

from shared.journal.tables import entry, fact
from shared.material.tables import (
    BEARING,
    alias,
    alias_end,
    correction,
    correction_case,
    mark,
    mass_history,
    material,
    place_history,
)


def list_corrections(
    conn: Connection, *, author: str = "", material_id: str = "", after: str = "", limit: int = 50
) -> Sequence[Row[Any]]:
    """What was corrected, the youngest first, a line for each statement about a piece; after: cursor_of the last one."""
    c = correction.c
    query = select(correction).order_by(c.fact_id.desc(), c.ordinal).limit(limit)
    for column, wanted in ((c.author, author), (c.material_id, material_id)):
        query = query.where(column == wanted) if wanted else query
    if after:
        fact_id, _, ordinal = after.partition(".")
        same = and_(c.fact_id == fact_id, c.ordinal > (int(ordinal) if ordinal.isdigit() else 0))
        query = query.where(or_(c.fact_id < fact_id, same))
    return conn.execute(query).all()


def cursor_of(row: Row[Any]) -> str:
    """Where a list of corrections goes on after this row."""
    return f"{row.fact_id}.{row.ordinal}"


def list_cases(
    conn: Connection, *, author: str = "", state: str = "", after: str = "", limit: int = 50
) -> Sequence[Row[Any]]:
    """Corrections that were asked for and not carried out, the youngest first."""
    c = correction_case.c
    query = select(correction_case).order_by(c.case_id.desc()).limit(limit)
    for column, wanted in ((c.author, author), (c.state, state)):
        query = query.where(column == wanted) if wanted else query
    return conn.execute(query.where(c.case_id < after) if after else query).all()


def find_case(conn: Connection, author: str, case_id: str) -> Row[Any] | None:
    """One such case, or None."""
    c = correction_case.c
    return conn.execute(select(correction_case).where(c.author == author, c.case_id == case_id)).first()


def count_open_cases(conn: Connection, author: str) -> int:
    """How many lie on the plant's list."""
    c = correction_case.c
    query = select(func.count()).select_from(correction_case).where(c.author == author, c.state == "open")
    return int(conn.execute(query).scalar_one())


def was_corrected() -> ColumnElement[bool]:
    """The condition that a later fact of its author says another mass than this row of mass_history."""
    c, row = correction.c, mass_history.c
    same = and_(c.author == row.author, c.corrects == row.fact_id, c.material_id == row.material_id, c.what == "mass")
    return select(literal(1)).select_from(correction).where(same).exists()


def standing_masses(conn: Connection, author: str, material_id: str) -> Sequence[Row[Any]]:
    """The masses an author gave a piece and did not take back, as they were recorded: the last is what it weighs.

    Asked at the author's own node, whose journal knows the order.
    """
    c = mass_history.c
    mine = and_(c.author == author, c.material_id == material_id)
    said = and_(entry.c.fact_id == c.fact_id, entry.c.stream == author)
    query = select(mass_history).join(entry, said).join(fact, fact.c.fact_id == c.fact_id)
    query = query.where(mine, ~was_corrected())
    return conn.execute(query.order_by(fact.c.recorded_at_ms, entry.c.seq)).all()


def standing_places(conn: Connection, author: str, material_id: str) -> Sequence[Row[Any]]:
    """Where an author put a piece, as it was recorded: the last is where it lies. Asked at the author's own node."""
    c = place_history.c
    said = and_(entry.c.fact_id == c.fact_id, entry.c.stream == author)
    query = select(place_history).join(entry, said).join(fact, fact.c.fact_id == c.fact_id)
    query = query.where(c.author == author, c.material_id == material_id)
    return conn.execute(query.order_by(fact.c.recorded_at_ms, entry.c.seq)).all()


def own_marks(conn: Connection, author: str, material_id: str) -> Sequence[Row[Any]]:
    """The marks that an author placed on a piece itself, by place."""
    query = select(mark).where(mark.c.author == author, mark.c.material_id == material_id)
    return conn.execute(query.order_by(mark.c.from_um, mark.c.mark_id)).all()


def was_ended(author: str) -> ColumnElement[bool]:
    """The condition that a row of alias is a number given by mistake."""
    key = (alias_end.c[name] == alias.c[name] for name in ("value", "scheme", "material_id"))
    return select(literal(1)).select_from(alias_end).where(alias_end.c.author == author, *key).exists()


def wrong_numbers(conn: Connection, value: str) -> set[tuple[str, str]]:
    """(author, piece) that once were given this number by mistake."""
    c = alias_end.c
    return {(r.author, r.material_id) for r in conn.execute(select(alias_end).where(c.value == value))}


def find_bearer(conn: Connection, author: str, value: str) -> Row[Any] | None:
    """The piece here, packed or not, that rightly bears a number at this author's, or None: whether the number is free."""
    named = and_(alias.c.author == material.c.author, alias.c.material_id == material.c.material_id)
    query = select(material).join(alias, named).where(alias.c.value == value, ~was_ended(author))
    return conn.execute(query.where(material.c.author == author, material.c.state.in_(BEARING))).first()
