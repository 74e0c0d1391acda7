"""What is told of a load or of the plant in X12's shape: plain values under the names that the mapping files read."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from local_mes.outside import errors
from local_mes.plant import Plant
from local_mes.transfers.domain import main_heat
from shared.material.queries import MaterialFilter, list_materials
from shared.material.trace import trace
from shared.outside.queries import find_delivery, find_party, lines_of
from shared.outside.x12.engine import write_message
from shared.outside.x12.envelope import wrap
from shared.outside.x12.mapping import load_mapping
from shared.transfers.facts import PieceData
from shared.transfers.lines import LineFilter, TransferLine, find_lines
from shared.transfers.queries import find_shipment, get_piece

PIECES_MAX = 1_000
"""Pieces of one inventory; a plant with more sends it by order, over the API."""
ON_HAND, ON_THE_WAY = "17", "19"


def load_message(conn: Connection, plant: Plant, message: str, number: str) -> str:
    """856, 863 or 870 of a load to an outside party, as an interchange. NotFound for another load or message."""
    load = find_shipment(conn, number, sender=plant.code)
    party = find_party(conn, plant.code, load.to_plant) if load is not None else None
    if load is None or party is None:
        raise errors.no_load(number)
    mapping = load_mapping(message, "out")
    note = find_delivery(conn, plant.code, load.shipment_id)
    told = {
        "load": load.number,
        "note": note.note_number if note else "",
        "departed_at_ms": load.departed_at_ms,
        "eta_ms": load.eta_ms,
        "at_ms": plant.clock.now_ms(),
        "vehicle": load.vehicle,
        "from": plant.code,
        "from_name": plant.model.plant.name,
        "to": party.code,
        "to_name": party.name,
    }
    pieces = _pieces(conn, plant.code, load.shipment_id)
    told |= {"pieces": pieces, "count": len(pieces), "mass_g": sum(piece["mass_g"] for piece in pieces)}
    segments = write_message(mapping, told)
    return wrap(mapping.message, mapping.group, plant.code, party.code, plant.clock.now_ms(), segments)


def stock_message(conn: Connection, plant: Plant, receiver: str) -> str:
    """846: pieces here, and those of ours on the way, as an interchange to whoever asked."""
    mapping = load_mapping("846", "out")
    rows, _ = list_materials(conn, MaterialFilter(author=plant.code, state="live"), limit=PIECES_MAX)
    here = [{**row._mapping, "status": ON_HAND, "where": row.place} for row in rows if row.kind != "heat"]
    lines = find_lines(conn, LineFilter(sender=plant.code, open_only=True), limit=PIECES_MAX)
    away = [_on_the_way(line) for line in lines if line.is_awaited]
    now_ms = plant.clock.now_ms()
    segments = write_message(mapping, {"plant": plant.code, "at_ms": now_ms, "pieces": [*here, *away]})
    return wrap(mapping.message, mapping.group, plant.code, receiver, now_ms, segments)


def _on_the_way(line: TransferLine) -> dict[str, Any]:
    return {
        "number": line.number,
        "order_item": line.order_item,
        "grade": line.grade,
        "mass_g": line.sender_mass_g,
        "mass_basis": line.sender_basis,
        "status": ON_THE_WAY,
        "where": line.receiver,
    }


def _pieces(conn: Connection, here: str, shipment_id: str) -> list[dict[str, Any]]:
    lines = find_lines(conn, LineFilter(sender=here, shipment_id=shipment_id))
    noted = {row.material_id: row for row in lines_of(conn, here, [shipment_id])[shipment_id]}
    left = [line for line in lines if not line.withdrawn]
    left.sort(key=lambda line: (line.position, line.number))
    return [
        _piece(conn, get_piece(conn, here, shipment_id, line.material_id), noted.get(line.material_id)) for line in left
    ]


def _piece(conn: Connection, piece: PieceData, noted: Any) -> dict[str, Any]:
    """The mass of the delivery note, where there is one: it is what the receiver is told on paper."""
    told = {
        "number": piece.number,
        "material_id": piece.material_id,
        "order_item": piece.order_item,
        "grade": piece.grade,
        "quality": piece.quality,
        "heat": main_heat(piece.heats),
        "thickness_um": piece.size.thickness_um,
        "width_um": piece.size.width_um,
        "length_um": piece.size.length_um,
        "mass_g": noted.mass_g if noted else piece.mass.g,
        "mass_basis": noted.mass_basis if noted else piece.mass.basis,
        "certificate": noted.certificate if noted else "",
        "elements": [{"element": name, "share_e6": share} for name, share in sorted(piece.chemistry_e6.items())],
    }
    return told | {"made_from": _made_from(conn, piece.material_id)}


def _made_from(conn: Connection, material_id: str) -> list[dict[str, Any]]:
    """Pieces that were charged for it, one step up, with the mass of each that is in it."""
    found = trace(conn, material_id, "backward")
    numbers = {row.material_id: row.number for row in found.rows}
    parts: dict[str, int] = {}
    for edge in found.edges:
        if edge.child_id == material_id and edge.kind == "transform":
            parts[edge.parent_id] = parts.get(edge.parent_id, 0) + edge.mass_g
    return [{"number": numbers.get(parent, parent), "mass_g": grams} for parent, grams in sorted(parts.items())]
