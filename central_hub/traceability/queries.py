"""The recall's read: forward trace over all plants, the holder of each piece, the load it is on."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from central_hub.traceability.domain import Recall, Whereabouts, in_order
from shared.material.queries import get_piece
from shared.material.trace import trace
from shared.material.walk import Piece
from shared.quality.queries import held_ids
from shared.transfers.lines import LineFilter, TransferLine, find_lines


def read_recall(conn: Connection, number: str) -> Recall:
    """Everything made of the piece a number means, itself included; NotFound when no plant knows the number."""
    start = get_piece(conn, number)
    found = trace(conn, start.material_id, "forward")
    depths = {start.material_id: 0}
    for edge in found.edges:
        depths.setdefault(edge.child_id, int(edge.depth))
    holders = _holders([row for row in found.rows if row.material_id in depths])
    held = held_ids(conn, list(depths))
    pieces = [
        _whereabouts(row, depths[material_id], material_id in held, _load(conn, row))
        for material_id, row in holders.items()
    ]
    return Recall(start.number, in_order(pieces))


def _holders(rows: Sequence[Piece]) -> dict[str, Piece]:
    """The row of the plant in whose books each piece lives now, else of the last one that had it (they come first)."""
    holders: dict[str, Piece] = {}
    for row in rows:
        holders.setdefault(row.material_id, row)
    return holders


def _load(conn: Connection, row: Piece) -> TransferLine | None:
    if row.state != "shipped":
        return None
    lines = find_lines(conn, LineFilter(sender=row.author, material_id=row.material_id, open_only=True), limit=1)
    return lines[0] if lines else None


def _whereabouts(row: Piece, depth: int, held: bool, line: TransferLine | None) -> Whereabouts:
    return Whereabouts(
        row.material_id,
        row.number,
        row.kind,
        row.author,
        row.state,
        row.place,
        row.mass_g,
        row.order_item,
        depth,
        held,
        line.shipment_number if line else "",
        line.receiver if line else "",
    )
