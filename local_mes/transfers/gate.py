"""What the gate's tablet must know to work without a line for hours: loads that come, each piece with all its numbers."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from local_mes.plant import Plant
from local_mes.transfers.reads import last_place
from local_mes.transfers.routing import choose, routes_of
from shared.transfers.lines import LineFilter, TransferLine, find_lines
from shared.transfers.queries import find_numbers, get_piece

PIECES_MAX = 1_500
"""Pieces a tablet keeps: three days of trains at a mill; what is more is asked for by number once the line is back."""


def read_gate(plant: Plant, conn: Connection) -> dict[str, Any]:
    """Expected loads, soonest first, with the pieces still to come. Masses in grams, times in ms UTC."""
    lines = [x for x in find_lines(conn, LineFilter(receiver=plant.code, open_only=True), limit=PIECES_MAX)]
    loads: dict[str, list[TransferLine]] = {}
    for line in lines:
        if line.is_awaited:
            loads.setdefault(line.shipment_id, []).append(line)
    numbers = find_numbers(conn, list(loads))
    return {
        "now_ms": plant.clock.now_ms(),
        "zone": plant.model.plant.zone,
        "place": last_place(conn, plant.code),
        "routes": routes_of(plant.model),
        "loads": sorted((_load(plant, conn, x, numbers) for x in loads.values()), key=lambda load: load["eta_ms"]),
    }


def _load(
    plant: Plant, conn: Connection, lines: list[TransferLine], numbers: dict[tuple[str, str], list[str]]
) -> dict[str, Any]:
    one = lines[0]
    pieces = [_piece(plant, conn, line, numbers) for line in sorted(lines, key=lambda x: (x.position, x.number))]
    return {
        "shipment_id": one.shipment_id,
        "number": one.shipment_number,
        "sender": one.sender,
        "vehicle": one.vehicle or one.mode,
        "eta_ms": one.eta_ms,
        "arrived_ms": one.arrived_at_ms,
        "closed": one.closed_at_ms is not None,
        "pieces": pieces,
    }


def _piece(
    plant: Plant, conn: Connection, line: TransferLine, numbers: dict[tuple[str, str], list[str]]
) -> dict[str, Any]:
    told = get_piece(conn, line.sender, line.shipment_id, line.material_id)
    return {
        "number": line.number,
        "numbers": numbers.get((line.shipment_id, line.material_id), [line.number]),
        "kind": line.kind,
        "grade": line.grade,
        "order_item": line.order_item,
        "position": line.position,
        "mass_g": line.sender_mass_g,
        "basis": line.sender_basis,
        "quality": line.quality,
        "custody_no": line.custody_no,
        "route": choose(conn, plant.model, line.sender, told).route,
    }
