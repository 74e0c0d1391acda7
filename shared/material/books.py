"""How a piece enters and leaves an author's books: taken in, shipped, back, identified as another.

Facts of transfers do these too; their appliers call the verbs here.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, Connection, Table, delete, select

from shared.db.bulk import among, update_each
from shared.db.fitting import check_fit
from shared.db.upsert import upsert
from shared.material import facts as f
from shared.material.tables import (
    alias,
    edge,
    loss,
    mark,
    mass_history,
    material,
    operation,
    place_history,
    process_value,
)

_KEY = {"author", "material_id"}
IDS_A_DELETE = 5_000
_GONE = ("consumed", "scrapped", "shipped")
_as_json = json.JSONEncoder(sort_keys=True, ensure_ascii=False).encode
_ALL = [column.name for column in material.columns if column.name not in _KEY]


@dataclass(frozen=True, slots=True)
class Birth:
    """A piece that enters an author's books."""

    author: str
    fact_id: str
    at_ms: int
    material: f.NewMaterial
    origin: str


def take_in(conn: Connection, births: Sequence[Birth]) -> None:
    """Write rows, aliases and first masses of pieces; a piece that comes back gets its row anew."""
    upsert(conn, material, [birth_row(b) for b in births], update=_ALL)
    upsert(conn, alias, [row for b in births for row in _alias_rows(b)])
    upsert(
        conn,
        mass_history,
        [mass_row(b.author, b.fact_id, b.material.material_id, b.material.mass, b.at_ms, "") for b in births],
    )
    upsert(
        conn,
        place_history,
        [
            {
                "author": b.author,
                "fact_id": b.fact_id,
                "material_id": b.material.material_id,
                "place": b.material.place,
                "at_ms": b.at_ms,
                "actor": "",
            }
            for b in births
            if b.material.place
        ],
    )


def birth_row(birth: Birth) -> dict[str, Any]:
    """The material row of a piece as it is born or taken in."""
    new = birth.material
    return {
        "author": birth.author,
        "material_id": new.material_id,
        "kind": new.kind,
        "number": new.aliases[0].value if new.aliases else new.material_id,
        "grade": new.grade,
        "order_item": new.order_item,
        "state": "live",
        "mass_g": new.mass.g,
        "mass_basis": new.mass.basis,
        "mass_scale": new.mass.scale,
        "mass_at_ms": new.mass.at_ms or birth.at_ms,
        "thickness_um": new.size.thickness_um,
        "width_um": new.size.width_um,
        "length_um": new.size.length_um,
        "place": new.place,
        "origin": birth.origin,
        "heat_number": new.heat_number,
        "chemistry": json_text(new.chemistry_e6),
        "attributes": json_text(new.attributes),
        "identified_as": None,
        "born_at_ms": birth.at_ms,
        "ended_at_ms": None,
        "last_fact": birth.fact_id,
    }


def json_text(value: Mapping[str, Any]) -> str:
    """JSON as it stands in a column: sorted keys, so that a rebuild gives the same bytes."""
    return _as_json(dict(value)) if value else "{}"


def change(conn: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Update material rows (author, material_id and the same changed columns in each), in order."""
    if not rows:
        return
    check_fit(material, rows)
    update_each(conn, material, ("author", "material_id"), rows)


def end(conn: Connection, author: str, fact_id: str, at_ms: int, ids: Iterable[str], state: str) -> None:
    """Put pieces into an end state: consumed, scrapped, shipped."""
    change(conn, [ending(author, fact_id, at_ms, m, state) for m in ids])


def ending(author: str, fact_id: str, at_ms: int, material_id: str, state: str) -> dict[str, Any]:
    """The change that puts a piece into an end state."""
    return {
        "author": author,
        "material_id": material_id,
        "state": state,
        "ended_at_ms": at_ms,
        "last_fact": fact_id,
    }


def mark_shipped(conn: Connection, author: str, fact_id: str, at_ms: int, ids: Iterable[str]) -> None:
    """Pieces left this author's custody."""
    end(conn, author, fact_id, at_ms, ids, "shipped")


def mark_all_shipped(conn: Connection, left: Iterable[tuple[str, str, int, str]]) -> None:
    """Pieces left their authors' custody: (author, fact, UTC ms, piece) in their order."""
    change(conn, [ending(author, fact_id, at_ms, piece, "shipped") for author, fact_id, at_ms, piece in left])


def mark_back(conn: Connection, author: str, fact_id: str, ids: Iterable[str]) -> None:
    """Pieces are (still, or again) in this author's custody: a departure that did not occur, a return."""
    change(
        conn,
        [{"author": author, "material_id": m, "state": "live", "ended_at_ms": None, "last_fact": fact_id} for m in ids],
    )


def take_back(conn: Connection, author: str, fact_id: str, material_id: str, place: str) -> None:
    """A piece that had left is in this author's stock again, at a place."""
    mark_back(conn, author, fact_id, [material_id])
    if place:
        change(conn, [{"author": author, "material_id": material_id, "place": place}])


def take_out(conn: Connection, author: str, pieces: Sequence[str], operations: Sequence[str]) -> None:
    """Rows of pieces and steps leave an author's books as if they had never been written; the facts stay."""
    for table in (material, alias, mass_history, place_history, mark):
        _delete(conn, table, author, table.c.material_id, pieces)
    for table in (operation, edge, loss, process_value):
        _delete(conn, table, author, table.c.operation_id, operations)


def _delete(conn: Connection, table: Table, author: str, key: Column[str], ids: Sequence[str]) -> None:
    for at in range(0, len(ids), IDS_A_DELETE):
        part = among(conn, key, ids[at : at + IDS_A_DELETE])
        conn.execute(delete(table).where(table.c.author == author, part))


def identify(conn: Connection, author: str, fact_id: str, at_ms: int, provisional_id: str, material_id: str) -> None:
    """Merge a provisional identity into the true one under this author: row, numbers, and an edge for traces."""
    if provisional_id == material_id:
        return
    row = (
        conn.execute(select(material).where(material.c.author == author, material.c.material_id == provisional_id))
        .mappings()
        .first()
    )
    size = (0, 0) if row is None else (int(row["length_um"]), int(row["width_um"]))
    upsert(
        conn,
        edge,
        [_identity_edge(author, fact_id, provisional_id, material_id, size, 0 if row is None else int(row["mass_g"]))],
    )
    if row is None:
        return
    if row["state"] != "identified":
        upsert(conn, material, [dict(row) | {"material_id": material_id, "last_fact": fact_id}])
    if row["state"] in _GONE:
        # one piece of steel: what was used up, scrapped or sent on under the one name is gone under the other
        end(conn, author, fact_id, int(row["ended_at_ms"] or at_ms), [material_id], row["state"])
    change(
        conn,
        [
            {
                "author": author,
                "material_id": provisional_id,
                "state": "identified",
                "identified_as": material_id,
                "ended_at_ms": at_ms,
                "last_fact": fact_id,
            }
        ],
    )
    known = conn.execute(
        select(alias).where(alias.c.author == author, alias.c.material_id == provisional_id)
    ).mappings()
    upsert(conn, alias, [dict(a) | {"material_id": material_id} for a in known])


def _identity_edge(
    author: str, fact_id: str, provisional_id: str, material_id: str, size: tuple[int, int], mass_g: int
) -> dict[str, Any]:
    length, width = size
    return {
        "author": author,
        "operation_id": fact_id,
        "ordinal": 0,
        "kind": "identity",
        "parent_id": material_id,
        "child_id": provisional_id,
        "parent_from_um": 0,
        "parent_to_um": length,
        "child_from_um": 0,
        "child_to_um": length,
        "parent_left_um": 0,
        "parent_right_um": width,
        "child_left_um": 0,
        "child_right_um": width,
        "mass_g": mass_g,
        "share_ppm": 1_000_000,
        "flip_length": False,
        "flip_width": False,
        "flip_face": False,
    }


def _alias_rows(birth: Birth) -> list[dict[str, Any]]:
    return [alias_row(birth.author, birth.material.material_id, a, birth.at_ms) for a in birth.material.aliases]


def alias_row(author: str, material_id: str, given: f.NewAlias, at_ms: int) -> dict[str, Any]:
    """A printed number as a row."""
    return {
        "author": author,
        "value": given.value,
        "scheme": given.scheme,
        "material_id": material_id,
        "given_at_ms": at_ms,
    }


def mass_row(author: str, fact_id: str, material_id: str, mass: f.Mass, at_ms: int, reason: str) -> dict[str, Any]:
    """A mass as a row of the piece's history."""
    return {
        "author": author,
        "fact_id": fact_id,
        "material_id": material_id,
        "mass_g": mass.g,
        "basis": mass.basis,
        "scale": mass.scale,
        "at_ms": mass.at_ms or at_ms,
        "reason": reason,
    }
