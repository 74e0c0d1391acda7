"""Numbers found by their beginning, through the index, however many million there are; a part of one among the youngest.

Upper and lower case are tried as typed, raised and lowered: labels are printed in one of these, and an index can answer
all three. What a search did not look through is told by its name (CUTS), never silent.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Integer, Select, String, bindparam, collate, select

from shared.db.prepared import Prepared
from shared.material.tables import alias

FOUND_MAX = 2_000
"""Pieces that one search may find: more is no answer but a question that is too short."""
TELLERS = 4
"""Authors that may tell the same number of the same piece: sender, receivers; rows read beyond a limit for that."""
YOUNGEST = 20_000
"""Numbers, the youngest pieces' first, in which a part is looked for when none begins so."""

CUTS = {
    "": "",
    "first": f"More than {FOUND_MAX:,} numbers begin so; the first of them are searched. Type more of the number.",
    "youngest": f"No number begins so; a part of a number was looked for in the {YOUNGEST:,} youngest. "
    "Type the beginning of an older one.",
}
_LAST = "\U0010ffff"


@dataclass(frozen=True, slots=True)
class Found:
    """Pieces whose number begins with the text, else has it somewhere; by number. cut: a key of CUTS."""

    ids: Sequence[str]
    cut: str = ""


def find_by_part(conn: Connection, text: str, limit: int = FOUND_MAX) -> Found:
    """What a text typed into a search box may mean; empty for an empty text."""
    text = text.strip()
    if not text:
        return Found(())
    named, more = _begins(conn, text, limit)
    if named:
        return Found(tuple(dict.fromkeys(piece for piece, _ in named)), "first" if more else "")
    rows = _YOUNGEST.rows(conn, most=YOUNGEST)
    wanted = text.casefold()
    inside = [row[0] for row in rows if wanted in row[1].casefold()]
    return Found(tuple(dict.fromkeys(inside[:limit])), "youngest" if len(rows) == YOUNGEST else "")


def suggest(conn: Connection, text: str, limit: int = 10) -> list[tuple[str, str]]:
    """(number, material id) of numbers that begin so, by number: for a box that completes what is typed."""
    return [(number, piece) for piece, number in _begins(conn, text.strip(), limit)[0]] if text.strip() else []


def _begins(conn: Connection, text: str, limit: int) -> tuple[list[tuple[str, str]], bool]:
    """(piece, number) by number, at most `limit`, and whether there are more."""
    found: dict[tuple[str, str], None] = {}
    more, most = False, (limit + 1) * TELLERS
    for form in _forms(text):
        rows = _BEGINS.rows(conn, low=form, high=form + _LAST, most=most)
        more |= len(rows) == most
        found |= dict.fromkeys((row[0], row[1]) for row in rows)
    ordered = sorted(found, key=lambda row: (row[1], row[0]))
    return ordered[:limit], more or len(ordered) > limit


def _forms(text: str) -> Iterable[str]:
    return dict.fromkeys((text, text.upper(), text.lower()))


def by_bytes(database: str) -> ColumnElement[str]:
    """The number in the order of its bytes, as its index has it: SQLite's own order, a collation on PostgreSQL."""
    return collate(alias.c.value, "C") if database == "postgresql" else alias.c.value


def _make_begins(database: str) -> Select[Any]:
    value = by_bytes(database)
    low, high = (bindparam(name, type_=String) for name in ("low", "high"))
    return (
        select(alias.c.material_id, alias.c.value)
        .where(value >= low, value < high)
        .order_by(value)
        .limit(bindparam("most", type_=Integer))
    )


def _make_youngest(_database: str) -> Select[Any]:
    by_age = select(alias.c.material_id, alias.c.value).order_by(alias.c.material_id.desc())
    return by_age.limit(bindparam("most", type_=Integer))


_BEGINS = Prepared(_make_begins)
_YOUNGEST = Prepared(_make_youngest)
