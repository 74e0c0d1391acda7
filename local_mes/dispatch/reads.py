"""What pages and API of dispatch show, read in one picture each."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Row

from local_mes.dispatch import errors
from local_mes.dispatch.looking import missing_of
from local_mes.dispatch.note_pdf import Note, NotePiece
from local_mes.plant import Plant
from local_mes.transfers.domain import PIECE_KINDS
from shared.material.queries import MaterialFilter, list_materials
from shared.orders.queries import find_orders
from shared.outside import queries
from shared.outside.facts import CUSTOMER
from shared.outside.otif import Fulfilment
from shared.outside.otif_queries import read_fulfilment
from shared.transfers.lines import LineFilter, TransferLine, find_lines
from shared.transfers.queries import find_shipment, get_piece
from shared.web import formats

READY_SHOWN = 30
"""Pieces offered on the form, each looked at closely; any other piece may be typed."""
ORDERS_READ = 1_000
"""Order items of one customer."""


def read_ready(conn: Connection, plant: Plant, party: Row[Any]) -> list[dict[str, Any]]:
    """Pieces here that serve this party's orders (any that may travel, for a processor), with what they still lack.

    Those that lack least come first.
    """
    rows = [row for item in _items(conn, plant.code, party) for row in _live(conn, plant.code, item)][:READY_SHOWN]
    found = [{**row._mapping, "missing": missing_of(conn, row, party)} for row in rows]
    return sorted(found, key=lambda piece: len(piece["missing"]))


def _items(conn: Connection, here: str, party: Row[Any]) -> list[str]:
    """Order items of a customer; a processor gets pieces of any."""
    if party.kind != CUSTOMER:
        return [""]
    orders = find_orders(conn, here, limit=ORDERS_READ, text=party.name)
    return [order.item for order in orders if order.customer == party.name]


def _live(conn: Connection, here: str, item: str) -> list[Row[Any]]:
    wanted = MaterialFilter(author=here, state="live", order_item=item)
    rows, _ = list_materials(conn, wanted, limit=READY_SHOWN)
    return [row for row in rows if row.kind in PIECE_KINDS]


def read_delivery(conn: Connection, here: str, number: str) -> dict[str, Any]:
    """One delivery: the note, its pieces, the load, and what the party said of each piece."""
    row = queries.find_delivery(conn, here, number)
    if row is None:
        raise errors.unknown_delivery(number, here)
    load = find_shipment(conn, row.shipment_id, sender=here)
    lines = find_lines(conn, LineFilter(sender=here, shipment_id=row.shipment_id))
    noted = {piece.material_id: piece for piece in queries.lines_of(conn, here, [row.shipment_id])[row.shipment_id]}
    return {
        "note": row,
        "load": load,
        "party": queries.find_party(conn, here, row.party),
        "lines": sorted(lines, key=lambda line: (line.position, line.number)),
        "noted": noted,
    }


def note_of(conn: Connection, plant: Plant, number: str) -> Note:
    """The note of a delivery as it is printed."""
    found = read_delivery(conn, plant.code, number)
    note, load, zone = found["note"], found["load"], plant.model.plant.zone
    pieces = [_piece(conn, found, line) for line in found["lines"] if line.material_id in found["noted"]]
    return Note(
        note.note_number,
        note.shipment_number,
        plant.model.plant.name,
        note.party_name,
        note.address,
        load.vehicle,
        formats.exact(load.departed_at_ms, zone),
        pieces,
    )


def read_otif(conn: Connection, plant: Plant, as_of_ms: int) -> list[Fulfilment]:
    """Order items of this plant's customers and how they were served; days are the plant's."""
    return read_fulfilment(conn, plant.code, as_of_ms, ZoneInfo(plant.model.plant.zone))


def read_orders_with_terms(conn: Connection, here: str) -> list[dict[str, Any]]:
    """Order items of this plant's customers with what each demands."""
    customers = {party.name for party in queries.list_parties(conn, here) if party.kind == CUSTOMER}
    orders = [order for order in find_orders(conn, here, limit=ORDERS_READ) if order.customer in customers]
    return [{**vars(order), "terms": queries.get_terms(conn, here, order.item)} for order in orders]


def _piece(conn: Connection, found: dict[str, Any], line: TransferLine) -> NotePiece:
    noted = found["noted"][line.material_id]
    size = get_piece(conn, line.sender, line.shipment_id, line.material_id).size
    parts = [formats.mm(um) for um in (size.thickness_um, size.width_um) if um]
    if line.kind not in ("coil", "slit") and size.length_um:
        parts.append(formats.mm(size.length_um))
    return NotePiece(
        noted.number, noted.order_item, line.grade, " × ".join(parts), noted.mass_g, noted.mass_basis, noted.certificate
    )
