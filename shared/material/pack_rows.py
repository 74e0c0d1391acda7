"""Packs as rows: the pack is a piece of its own, its members stand behind it until it is taken apart; remelted pieces."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, delete, select, update

from shared.db.upsert import upsert
from shared.journal.apply import Appliers
from shared.journal.fact import AppliedFact
from shared.material.books import Birth, change, ending, json_text, take_in
from shared.material.pack_facts import MaterialRemelted, PackOpened, PiecesPacked
from shared.material.tables import edge, material, pack_member, remelted

EDGE_KIND = "pack"
"""Of the edges from members to their pack, which stand while it is packed: traces, recalls and holds go through them."""


def apply_pieces_packed(conn: Connection, facts: Sequence[AppliedFact[PiecesPacked]]) -> None:
    """The pack enters the books, its members stand behind it."""
    for x in facts:
        pack = x.payload.pack
        take_in(conn, [Birth(x.author, x.fact_id, x.occurred.at_ms, pack, "packed")])
        change(conn, [ending(x.author, x.fact_id, x.occurred.at_ms, member, "packed") for member in x.payload.members])
        upsert(conn, edge, _edges(conn, x))
        rows = [
            {
                "author": x.author,
                "pack_id": pack.material_id,
                "material_id": member,
                "ordinal": at,
                "packed_at_ms": x.occurred.at_ms,
                "opened_at_ms": None,
            }
            for at, member in enumerate(x.payload.members)
        ]
        upsert(conn, pack_member, rows, update=["ordinal", "packed_at_ms", "opened_at_ms"])


def _edges(conn: Connection, x: AppliedFact[PiecesPacked]) -> list[dict[str, Any]]:
    members = x.payload.members
    m = material.c
    query = select(m.material_id, m.mass_g).where(m.author == x.author, m.material_id.in_(sorted(members)))
    masses = {row.material_id: int(row.mass_g) for row in conn.execute(query)}
    whole = sum(masses.values())
    # places of a member are no places of the pack: empty intervals pass them through unchanged
    spans = ("parent_from_um", "parent_to_um", "child_from_um", "child_to_um")
    sides = ("parent_left_um", "parent_right_um", "child_left_um", "child_right_um")
    still = dict.fromkeys((*spans, *sides), 0) | dict.fromkeys(("flip_length", "flip_width", "flip_face"), False)
    return [
        still
        | {
            "author": x.author,
            "operation_id": x.fact_id,
            "ordinal": at,
            "kind": EDGE_KIND,
            "parent_id": member,
            "child_id": x.payload.pack.material_id,
            "mass_g": masses.get(member, 0),
            "share_ppm": masses.get(member, 0) * 1_000_000 // whole if whole else 0,
        }
        for at, member in enumerate(members)
    ]


def apply_pack_opened(conn: Connection, facts: Sequence[AppliedFact[PackOpened]]) -> None:
    """The pack is no more, its members are here."""
    for x in facts:
        pack_id = x.payload.pack_id
        change(conn, [ending(x.author, x.fact_id, x.occurred.at_ms, pack_id, "opened")])
        take_in(conn, [Birth(x.author, x.fact_id, x.occurred.at_ms, new, "packed") for new in x.payload.births])
        born = {new.material_id for new in x.payload.births}
        back = {"author": x.author, "state": "live", "ended_at_ms": None, "last_fact": x.fact_id}
        change(
            conn,
            [back | {"material_id": m, "place": x.payload.place} for m in x.payload.members if m not in born],
        )
        conn.execute(
            delete(edge).where(edge.c.author == x.author, edge.c.child_id == pack_id, edge.c.kind == EDGE_KIND)
        )
        conn.execute(
            update(pack_member)
            .where(pack_member.c.author == x.author, pack_member.c.pack_id == pack_id)
            .values(opened_at_ms=x.occurred.at_ms)
        )


def apply_material_remelted(conn: Connection, facts: Sequence[AppliedFact[MaterialRemelted]]) -> None:
    """The end of a piece, and what of it goes on."""
    change(conn, [ending(x.author, x.fact_id, x.occurred.at_ms, x.payload.material_id, "scrapped") for x in facts])
    rows = [
        {
            "author": x.author,
            "fact_id": x.fact_id,
            "material_id": x.payload.material_id,
            "mass_g": x.payload.mass_g,
            "bay": x.payload.bay,
            "scrap_grade": x.payload.scrap_grade,
            "chemistry": json_text(x.payload.chemistry_e6),
            "reason": x.payload.reason,
            "at_ms": x.occurred.at_ms,
        }
        for x in facts
    ]
    upsert(conn, remelted, rows)


def register(appliers: Appliers) -> None:
    """Give the journal the appliers of packs and of what goes back to the melt."""
    appliers.add(PiecesPacked, apply_pieces_packed)
    appliers.add(PackOpened, apply_pack_opened)
    appliers.add(MaterialRemelted, apply_material_remelted)
