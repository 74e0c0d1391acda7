"""A piece as it is told to the next plant: numbers, size, mass, chemistry, heats, quality."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
from msgspec import UNSET
from sqlalchemy import Connection, Row

from local_mes.transfers.domain import ShipCandidate, mix_heats
from shared.material.facts import MADE_AT, Mass, Size
from shared.material.queries import numbers_of, rows_of
from shared.material.trace import trace
from shared.material.walk import Step
from shared.material.way_trace import tell_way
from shared.orders.queries import find_order
from shared.passports.queries import find_taken_body
from shared.quality.domain import quality_status
from shared.quality.queries import open_holds
from shared.quality.restriction import TOLD, find_restriction
from shared.transfers.facts import PieceData, ShipmentLine
from shared.transfers.queries import find_told_piece
from shared.transfers.told import find_taken_elsewhere

HOLDS_SHOWN = 20
LINES_BYTES = 160 * 1024
"""The lines of one departure with their ways; what a fact may take beyond it is for its subjects."""


def describe(conn: Connection, row: Row[Any], *, with_way: bool = True) -> PieceData:
    """Everything the receiver must know of a piece, from this plant's own row of it; without the way it was made where
    that is told later."""
    holds = open_holds(conn, row.material_id)
    only_for = find_restriction(conn, row.material_id)
    attributes: dict[str, str] = msgspec.json.decode(row.attributes, type=dict[str, str])
    if only_for:
        attributes = attributes | {TOLD: only_for}
    if row.origin == "made":
        attributes = {MADE_AT: str(row.born_at_ms)} | attributes
    return PieceData(
        material_id=row.material_id,
        kind=row.kind,
        number=row.number,
        aliases=tuple(numbers_of(conn, [row.material_id]).get(row.material_id, ())),
        grade=row.grade,
        order_item=row.order_item,
        size=Size(row.thickness_um, row.width_um, row.length_um),
        mass=Mass(row.mass_g, row.mass_basis, row.mass_scale, row.mass_at_ms),
        chemistry_e6=msgspec.json.decode(row.chemistry, type=dict[str, int]),
        heats=heat_shares(conn, row.author, row.material_id),
        quality=quality_status(len(holds), only_for),
        holds=tuple(h.hold_id for h in holds[:HOLDS_SHOWN]),
        attributes=attributes,
        way=(tell_way(conn, row.material_id) or UNSET) if with_way else UNSET,
    )


def fitting(lines: Iterable[ShipmentLine]) -> tuple[ShipmentLine, ...]:
    """The lines as one departure can hold them: while they are too large, the longest way among them is not told."""
    kept = list(lines)
    ways = [(_bytes(line.piece.way), n) for n, line in enumerate(kept) if line.piece.way is not UNSET]
    over = _bytes(kept) - LINES_BYTES
    for size, n in sorted(ways, reverse=True):
        if over <= 0:
            break
        line, over = kept[n], over - size
        kept[n] = msgspec.structs.replace(line, piece=msgspec.structs.replace(line.piece, way=UNSET))
    return tuple(kept)


def _bytes(value: object) -> int:
    return len(msgspec.json.encode(value))


def candidate(conn: Connection, row: Row[Any]) -> ShipCandidate:
    """What decides whether the piece may be shipped by command."""
    order = find_order(conn, row.author, row.order_item) if row.order_item not in ("", "stock") else None
    return ShipCandidate(
        row.number,
        row.kind,
        row.state,
        row.order_item,
        row.grade,
        order.product if order else "",
        tuple(h.reason for h in open_holds(conn, row.material_id)),
        find_restriction(conn, row.material_id),
        _taken_by(conn, row),
    )


def _taken_by(conn: Connection, row: Row[Any]) -> tuple[str, str]:
    taken = find_taken_elsewhere(conn, row.material_id) if row.state == "live" else None
    return (taken.receiver, taken.own_number) if taken is not None and taken.receiver != row.author else ("", "")


def heat_shares(conn: Connection, author: str, material_id: str) -> dict[str, int]:
    """Heat number -> share in ppm of a piece: cast here by its edges, received by what its sender told, else its heat.

    Parents that are no heats count by the mass they gave.
    """
    found = trace(conn, material_id, "backward")
    kinds = {row.material_id: row for row in rows_of(conn, sorted({e.parent_id for e in found.edges} | {material_id}))}
    parents: dict[str, list[Step]] = {}
    for edge in found.edges:
        if edge.author == author and edge.kind != "identity":
            parents.setdefault(edge.child_id, []).append(edge)
    return _shares(conn, material_id, parents, kinds, 0)


def _shares(
    conn: Connection, material_id: str, parents: dict[str, list[Step]], rows: dict[str, Row[Any]], depth: int
) -> dict[str, int]:
    row = rows.get(material_id)
    if row is not None and row.kind == "heat":
        return {row.number: 1_000_000}
    edges = parents.get(material_id, [])
    if not edges or depth > len(parents):
        return _told(conn, material_id, row)
    parts = []
    for edge in edges:
        parent = rows.get(edge.parent_id)
        weight = edge.share_ppm if parent is not None and parent.kind == "heat" else max(edge.mass_g, 1)
        parts.append((weight, _shares(conn, edge.parent_id, parents, rows, depth + 1)))
    return mix_heats(parts)


def _told(conn: Connection, material_id: str, row: Row[Any] | None) -> dict[str, int]:
    told = find_told_piece(conn, material_id)
    if told is not None and told.heats:
        return dict(told.heats)
    by_passport = find_taken_body(conn, row.author, material_id) if row is not None and told is None else None
    if by_passport is not None and by_passport.heats:
        return dict(by_passport.heats)
    return {row.heat_number: 1_000_000} if row is not None and row.heat_number else {}
