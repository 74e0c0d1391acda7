"""What the gate's tablet must know to work without a line for hours: loads that come, each piece with all its numbers."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from sqlalchemy import Connection

from local_mes.plant import Plant
from local_mes.transfers.reads import last_place
from local_mes.transfers.routing import choose_for, routes_of
from shared.orders.queries import find_order
from shared.transfers.facts import PieceData
from shared.transfers.lines import LineFilter, TransferLine, find_lines
from shared.transfers.queries import find_numbers, find_pieces

PIECES_MAX = 1_500
"""Pieces a tablet keeps: three days of trains at a mill; what is more is asked for by number once the line is back."""
Route = Callable[[str, PieceData], str]


def read_gate(plant: Plant, conn: Connection) -> dict[str, Any]:
    """Expected loads, soonest first, with the pieces still to come. Masses in grams, times in ms UTC."""
    lines = find_lines(conn, LineFilter(receiver=plant.code, open_only=True), limit=PIECES_MAX)
    loads: dict[str, list[TransferLine]] = {}
    for line in lines:
        if line.is_awaited:
            loads.setdefault(line.shipment_id, []).append(line)
    numbers, told, route = find_numbers(conn, list(loads)), find_pieces(conn, list(loads)), _routes(plant, conn)
    expected = [
        _load(of_load)
        | {
            "pieces": [
                _piece(line, numbers) | {"route": route(line.sender, told[line.shipment_id, line.material_id])}
                for line in sorted(of_load, key=lambda x: (x.position, x.number))
            ]
        }
        for of_load in loads.values()
    ]
    return {
        "now_ms": plant.clock.now_ms(),
        "zone": plant.model.plant.zone,
        "place": last_place(conn, plant.code),
        "routes": routes_of(plant.model),
        "loads": sorted(expected, key=lambda load: load["eta_ms"]),
    }


def _routes(plant: Plant, conn: Connection) -> Route:
    """The route by rule of one piece after another; each order is looked up once."""

    @cache
    def product(sender: str, item: str) -> str:
        order = find_order(conn, plant.code, item) or find_order(conn, sender, item)
        return order.product if order is not None else ""

    return lambda sender, piece: choose_for(plant.model, sender, piece, product(sender, piece.order_item)).route


def _load(lines: list[TransferLine]) -> dict[str, Any]:
    one = lines[0]
    return {
        "shipment_id": one.shipment_id,
        "number": one.shipment_number,
        "sender": one.sender,
        "vehicle": one.vehicle or one.mode,
        "eta_ms": one.eta_ms,
        "arrived_ms": one.arrived_at_ms,
        "closed": one.closed_at_ms is not None,
    }


def _piece(line: TransferLine, numbers: dict[tuple[str, str], list[str]]) -> dict[str, Any]:
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
    }
