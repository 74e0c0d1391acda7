"""Where a recall starts: the piece that a number means, else the pieces here that are said to be made of it.

A plant has no row of another plant's heat; what it has is what its senders told with their pieces and what its own books
name as a piece's heat.
"""

from __future__ import annotations

import msgspec
from msgspec import UNSET, UnsetType
from sqlalchemy import Connection, select

from shared.errors import BadInput
from shared.material.queries import find_piece, get_piece
from shared.material.tables import material
from shared.material.walk import known_authors
from shared.material.way_facts import Way
from shared.transfers.tables import shipment_line


class _Said(msgspec.Struct):
    """Of what a departure says of a piece: what it is made of."""

    heats: dict[str, int] = {}
    way: Way | UnsetType = UNSET

    def names(self, number: str) -> bool:
        """Whether a number or an id is of something above the piece."""
        above = self.way.pieces if self.way is not UNSET else ()
        return number in self.heats or any(number in (one.material_id, *one.numbers) for one in above)


def starts_of(conn: Connection, number: str) -> list[str]:
    """Ids of what a number means, else of the pieces here that are said to be made of it; NotFound when there are none."""
    row = find_piece(conn, number)
    if row is not None:
        return [row.material_id]
    return _said_to_be_of(conn, number.strip()) or [get_piece(conn, number).material_id]


def own_start(conn: Connection, number: str) -> str:
    """The piece itself, where its parts are asked for; BadInput where it is known by the word of others alone."""
    if find_piece(conn, number) is None and _said_to_be_of(conn, number.strip()):
        raise BadInput(
            "recall.told_alone",
            f"{number} is known here by what senders told alone: which parts are of it cannot be followed from here.",
            todo="Recall it without a share and without a place, or at the hub.",
        )
    return str(get_piece(conn, number).material_id)


def _said_to_be_of(conn: Connection, number: str) -> list[str]:
    """Read through all lines, for a number that no row bears. Where the facts of several plants are here, at the hub, they
    are all that counts, and there are too many lines to read through."""
    if not number or len(known_authors(conn)) > 1:
        return []
    c = shipment_line.c
    words = c.piece.contains(msgspec.json.encode(number).decode(), autoescape=True)
    rows = conn.execute(select(c.material_id, c.piece).where(words)).all()
    told = {row.material_id for row in rows if msgspec.json.decode(row.piece, type=_Said).names(number)}
    by_books = select(material.c.material_id).where(material.c.heat_number == number)
    known = select(material.c.material_id).where(material.c.material_id.in_(told))
    return sorted({*conn.execute(by_books).scalars(), *conn.execute(known).scalars()})
