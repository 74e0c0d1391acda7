"""Named reads of the comparison: what we have of the pieces, what was found."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, Row, and_, func, or_, select

from local_mes.pilot.domain import OurPiece
from local_mes.pilot.tables import pilot_day, pilot_difference, pilot_file, pilot_piece
from shared.material.tables import alias, material
from shared.quality.queries import held_ids

CHUNK = 500
"""Numbers in one statement."""


def find_ours(conn: Connection, author: str, numbers: Sequence[str]) -> dict[str, OurPiece]:
    """Our pieces by the number asked for; of two that bear one number the younger."""
    found: dict[str, Any] = {}
    named = and_(alias.c.author == material.c.author, alias.c.material_id == material.c.material_id)
    for at in range(0, len(numbers), CHUNK):
        query = (
            select(alias.c.value, material)
            .join(material, named)
            .where(
                alias.c.author == author, alias.c.value.in_(numbers[at : at + CHUNK]), material.c.state != "identified"
            )
        )
        for row in conn.execute(query.order_by(material.c.born_at_ms)):
            found[row.value] = row
    held = held_ids(conn, [row.material_id for row in found.values()])
    return {number: _piece(row, number, held) for number, row in found.items()}


def find_made(conn: Connection, author: str, kinds: Iterable[str], from_ms: int, to_ms: int) -> list[OurPiece]:
    """Our pieces that came into being here in a stretch of time."""
    query = select(material).where(
        material.c.author == author,
        material.c.kind.in_(list(kinds)),
        material.c.origin == "made",
        material.c.state != "identified",
        material.c.born_at_ms >= from_ms,
        material.c.born_at_ms < to_ms,
    )
    return [_piece(row, row.number, set()) for row in conn.execute(query.order_by(material.c.born_at_ms))]


def find_there(conn: Connection, author: str, kinds: Iterable[str]) -> list[OurPiece]:
    """Our pieces that are on the premises now."""
    query = select(material).where(
        material.c.author == author, material.c.kind.in_(list(kinds)), material.c.state == "live"
    )
    return [_piece(row, row.number, set()) for row in conn.execute(query.order_by(material.c.born_at_ms))]


def named_in_files(conn: Connection, days: Sequence[str], ids: Sequence[str], author: str) -> set[str]:
    """Which of our pieces their files of these days name, by any number of ours."""
    found: set[str] = set()
    for at in range(0, len(ids), CHUNK):
        query = (
            select(alias.c.material_id)
            .join(pilot_piece, pilot_piece.c.number == alias.c.value)
            .where(alias.c.author == author, alias.c.material_id.in_(ids[at : at + CHUNK]), pilot_piece.c.day.in_(days))
        )
        found |= set(conn.execute(query).scalars())
    return found


def find_days(conn: Connection, limit: int) -> list[Row[Any]]:
    """The newest days, oldest first."""
    rows = conn.execute(select(pilot_day).order_by(pilot_day.c.day.desc()).limit(limit)).all()
    return list(reversed(rows))


def find_day(conn: Connection, day: str) -> Row[Any] | None:
    """One day, or None."""
    return conn.execute(select(pilot_day).where(pilot_day.c.day == day)).first()


def find_pieces(conn: Connection, day: str) -> list[Row[Any]]:
    """What their file of a day said, by line."""
    return list(conn.execute(select(pilot_piece).where(pilot_piece.c.day == day).order_by(pilot_piece.c.line)))


def find_problems(conn: Connection, day: str, limit: int) -> list[Row[Any]]:
    """Lines of a day's file that could not be read."""
    query = select(pilot_piece).where(pilot_piece.c.day == day, pilot_piece.c.problem != "")
    return list(conn.execute(query.order_by(pilot_piece.c.line).limit(limit)))


def find_bad_files(conn: Connection, limit: int) -> list[Row[Any]]:
    """The newest files that could not be read at all."""
    query = select(pilot_file).where(pilot_file.c.problem != "").order_by(pilot_file.c.read_ms.desc())
    return list(conn.execute(query.limit(limit)))


def marks_of_files(conn: Connection) -> dict[str, str]:
    """Files read so far, with the mark of what was read."""
    return {row.name: row.mark for row in conn.execute(select(pilot_file.c.name, pilot_file.c.mark))}


def find_differences(
    conn: Connection, wanted: dict[str, str], after: str = "", limit: int = 50
) -> list[dict[str, Any]]:
    """Differences, newest day first, then by number and field; limit + 1 of them. after: `day|number|field`."""
    c = pilot_difference.c
    query = select(pilot_difference).order_by(c.day.desc(), c.number, c.field).limit(limit + 1)
    for name in ("day", "kind", "field", "cause"):
        if wanted.get(name):
            query = query.where(c[name] == wanted[name])
    if wanted.get("q"):
        query = query.where(c.number.contains(wanted["q"].strip(), autoescape=True))
    if after:
        day, number, field = (*after.split("|", 2), "", "")[:3]
        query = query.where(
            or_(c.day < day, and_(c.day == day, or_(c.number > number, and_(c.number == number, c.field > field))))
        )
    rows = conn.execute(query).mappings()
    return [{**row, "place": f"{row['day']}|{row['number']}|{row['field']}"} for row in rows]


def count_causes(conn: Connection, day: str) -> list[tuple[str, int]]:
    """How many pieces of a day each first cause has, the most frequent first."""
    c = pilot_difference.c
    pieces = func.count(func.distinct(c.number))
    query = select(c.cause, pieces).where(c.day == day).group_by(c.cause).order_by(pieces.desc(), c.cause)
    return [(cause, int(count)) for cause, count in conn.execute(query)]


def _piece(row: Any, number: str, held: set[str]) -> OurPiece:
    state = "held" if row.state == "live" and row.material_id in held else row.state
    values = {
        "kind": row.kind,
        "heat": row.heat_number,
        "order": row.order_item,
        "grade": row.grade,
        "place": row.place,
        "state": state,
        "mass": row.mass_g,
        "thickness": row.thickness_um,
        "width": row.width_um,
        "length": row.length_um,
    }
    return OurPiece(row.material_id, number, row.born_at_ms, values, row.mass_basis)
