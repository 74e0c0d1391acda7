"""What a piece may be used for only: a release with a limit holds for all that is made of the piece, at any plant."""

from __future__ import annotations

import msgspec
from sqlalchemy import Connection, select

from shared.material.tables import material
from shared.quality.queries import ancestry
from shared.quality.tables import hold

TOLD = "only_for"
"""The attribute by which a sender tells the limit to the plant that receives the piece."""


def find_restriction(conn: Connection, material_id: str) -> str:
    """The product, grade or order item that the piece is limited to; empty when it is free for any use.

    The nearest word counts: the piece's own latest release with a limit, else what its sender told, else those of the
    pieces it was made from, a generation at a time. Being worked lifts no limit; only a person's later release does.
    """
    line = ancestry(conn, material_id)
    words = _released(conn, line) | _told(conn, line)
    return words[min(words)] if words else ""


def _released(conn: Connection, line: dict[str, int]) -> dict[tuple[int, int, int, str], str]:
    rows = conn.execute(
        select(hold.c.material_id, hold.c.hold_id, hold.c.released_at_ms, hold.c.only_for).where(
            hold.c.material_id.in_(sorted(line)),
            hold.c.placed_at_ms.is_not(None),
            hold.c.released_at_ms.is_not(None),
            hold.c.only_for != "",
        )
    )
    return {(line[row.material_id], 0, -row.released_at_ms, row.hold_id): row.only_for for row in rows}


def _told(conn: Connection, line: dict[str, int]) -> dict[tuple[int, int, int, str], str]:
    rows = conn.execute(
        select(material.c.material_id, material.c.author, material.c.attributes).where(
            material.c.material_id.in_(sorted(line)), material.c.attributes.contains(TOLD)
        )
    )
    said = [(row, msgspec.json.decode(row.attributes, type=dict[str, str]).get(TOLD, "")) for row in rows]
    return {(line[row.material_id], 1, 0, row.author): only_for for row, only_for in said if only_for}
