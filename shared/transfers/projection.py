"""Facts of transfers to rows: every function writes rows of the facts' author only, in any order of authors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, update

from shared.db.upsert import upsert
from shared.journal.apply import Appliers
from shared.journal.fact import AppliedFact
from shared.material.projection import Birth, mark_all_shipped, mark_back, mark_shipped, take_in
from shared.transfers import case_rows, plan_rows, tables, vehicles, words
from shared.transfers.facts import (
    DepartureCorrected,
    LoadArrived,
    MaterialReceived,
    MaterialShipped,
    ReceiptClosed,
    ReceiptMatched,
    ShipmentLine,
)

Row = dict[str, Any]
_encoder = msgspec.json.Encoder(order="deterministic")


def register(appliers: Appliers) -> None:
    """Hand the journal the appliers of this subject."""
    appliers.add(MaterialShipped, apply_material_shipped)
    appliers.add(DepartureCorrected, apply_departure_corrected)
    appliers.add(LoadArrived, apply_load_arrived)
    appliers.add(MaterialReceived, apply_material_received)
    appliers.add(ReceiptMatched, apply_receipt_matched)
    appliers.add(ReceiptClosed, apply_receipt_closed)
    case_rows.register(appliers)
    words.register(appliers)
    plan_rows.register(appliers)
    vehicles.register(appliers)


def apply_material_shipped(conn: Connection, facts: Sequence[AppliedFact[MaterialShipped]]) -> None:
    """The load, its lines with everything the receiver must know, and the sender's pieces out of its stock."""
    upsert(conn, tables.shipment, [_shipment_row(f) for f in facts])
    rows = [
        _line_row(f, f.payload.shipment_id, line, "advised", f.payload.departed_at_ms)
        for f in facts
        for line in f.payload.lines
    ]
    upsert(conn, tables.shipment_line, rows)
    _write_numbers(conn, [(f.author, f.payload.shipment_id, line) for f in facts for line in f.payload.lines])
    left = [(f, line.piece.material_id) for f in facts for line in f.payload.lines]
    plan_rows.mark_left(conn, [(f.author, f.payload.shipment_id) for f in facts])
    mark_all_shipped(conn, [(f.author, f.fact_id, f.payload.departed_at_ms, piece) for f, piece in left])


def apply_departure_corrected(conn: Connection, facts: Sequence[AppliedFact[DepartureCorrected]]) -> None:
    """A listed piece never left, or an unlisted one did: the line says so, the declaration is kept beside it."""
    upsert(conn, tables.departure_correction, [_correction_row(f) for f in facts])
    for f in facts:
        if f.payload.kind == "late":
            _add_late_line(conn, f)
        else:
            _withdraw_line(conn, f)


def apply_load_arrived(conn: Connection, facts: Sequence[AppliedFact[LoadArrived]]) -> None:
    """A vehicle at the gate."""
    upsert(
        conn,
        tables.arrival,
        [
            {
                "author": f.author,
                "fact_id": f.fact_id,
                "shipment_id": f.payload.shipment_id,
                "shipment_number": f.payload.shipment_number,
                "from_plant": f.payload.from_plant,
                "arrived_at_ms": f.payload.arrived_at_ms,
                "recorded_at_ms": f.recorded_at_ms,
            }
            for f in facts
        ],
    )


def apply_material_received(conn: Connection, facts: Sequence[AppliedFact[MaterialReceived]]) -> None:
    """The receipt, and the receiver's own row of the piece."""
    upsert(conn, tables.receipt, [_receipt_row(f) for f in facts])
    take_in(conn, [Birth(f.author, f.fact_id, f.occurred.at_ms, f.payload.material, "received") for f in facts])


def apply_receipt_matched(conn: Connection, facts: Sequence[AppliedFact[ReceiptMatched]]) -> None:
    """The receipt under the piece's true identity; the receiver's row of that identity, where the fact carries it."""
    for f in facts:
        p = f.payload
        values: Row = {
            "shipment_id": p.shipment_id,
            "material_id": p.material_id,
            "custody_no": p.custody_no,
            "provisional": p.provisional,
            "matched_at_ms": 0 if p.provisional else f.recorded_at_ms,
        }
        if p.sender_mass is not None:
            values |= {"sender_mass_g": p.sender_mass.g, "sender_mass_basis": p.sender_mass.basis}
        if p.material is not None:
            values |= {"grade": p.material.grade, "order_item": p.material.order_item, "kind": p.material.kind}
        conn.execute(
            update(tables.receipt)
            .where(tables.receipt.c.author == f.author, tables.receipt.c.receipt_id == p.receipt_id)
            .values(**values)
        )
        if p.material is not None:
            take_in(conn, [Birth(f.author, f.fact_id, f.occurred.at_ms, p.material, "received")])


def apply_receipt_closed(conn: Connection, facts: Sequence[AppliedFact[ReceiptClosed]]) -> None:
    """The receiver has unloaded everything there was."""
    upsert(
        conn,
        tables.receipt_close,
        [
            {
                "author": f.author,
                "fact_id": f.fact_id,
                "shipment_id": f.payload.shipment_id,
                "shipment_number": f.payload.shipment_number,
                "from_plant": f.payload.from_plant,
                "received": f.payload.received,
                "short_ids": _text(f.payload.short_ids),
                "closed_at_ms": f.occurred.at_ms,
                "recorded_at_ms": f.recorded_at_ms,
            }
            for f in facts
        ],
    )


def _shipment_row(f: AppliedFact[MaterialShipped]) -> Row:
    p = f.payload
    return {
        "author": f.author,
        "shipment_id": p.shipment_id,
        "number": p.number,
        "to_plant": p.to,
        "lane": p.lane,
        "mode": p.mode,
        "vehicle": p.vehicle,
        "carrier": p.carrier,
        "departed_at_ms": p.departed_at_ms,
        "eta_ms": p.eta_ms,
        "recorded_at_ms": f.recorded_at_ms,
        "fact_id": f.fact_id,
    }


def _line_row(f: AppliedFact[Any], shipment_id: str, line: ShipmentLine, entered: str, departed_at_ms: int) -> Row:
    piece = line.piece
    return {
        "author": f.author,
        "shipment_id": shipment_id,
        "material_id": piece.material_id,
        "number": piece.number,
        "kind": piece.kind,
        "grade": piece.grade,
        "order_item": piece.order_item,
        "position": line.position,
        "custody_no": line.custody_no,
        "mass_g": piece.mass.g,
        "mass_basis": piece.mass.basis,
        "scale": piece.mass.scale,
        "quality": piece.quality,
        "piece": _text(piece),
        "entered": entered,
        "withdrawn": False,
        "departed_at_ms": departed_at_ms,
        "recorded_at_ms": f.recorded_at_ms,
        "withdrawn_at_ms": 0,
        "fact_id": f.fact_id,
    }


def _write_numbers(conn: Connection, lines: Sequence[tuple[str, str, ShipmentLine]]) -> None:
    rows = [
        {"author": author, "shipment_id": shipment_id, "material_id": line.piece.material_id, "value": value}
        for author, shipment_id, line in lines
        for value in sorted({line.piece.number, *line.piece.aliases})
    ]
    upsert(conn, tables.shipment_line_number, rows)


def _correction_row(f: AppliedFact[DepartureCorrected]) -> Row:
    return {
        "author": f.author,
        "fact_id": f.fact_id,
        "shipment_id": f.payload.shipment_id,
        "material_id": f.payload.line.piece.material_id,
        "kind": f.payload.kind,
        "note": f.payload.note,
        "recorded_at_ms": f.recorded_at_ms,
    }


def _add_late_line(conn: Connection, f: AppliedFact[DepartureCorrected]) -> None:
    line = f.payload.line
    row = _line_row(f, f.payload.shipment_id, line, "late", f.occurred.at_ms)
    known = [name for name in row if name not in ("author", "shipment_id", "material_id")]
    upsert(conn, tables.shipment_line, [row], update=known)
    _write_numbers(conn, [(f.author, f.payload.shipment_id, line)])
    mark_shipped(conn, f.author, f.fact_id, f.occurred.at_ms, [line.piece.material_id])


def _withdraw_line(conn: Connection, f: AppliedFact[DepartureCorrected]) -> None:
    c = tables.shipment_line.c
    material_id = f.payload.line.piece.material_id
    conn.execute(
        update(tables.shipment_line)
        .where(c.author == f.author, c.shipment_id == f.payload.shipment_id, c.material_id == material_id)
        .values(withdrawn=True, withdrawn_at_ms=f.recorded_at_ms)
    )
    if not words.undo_diversion(conn, f.author, f.payload.shipment_id, material_id, (f.fact_id, f.recorded_at_ms)):
        mark_back(conn, f.author, f.fact_id, [material_id])


def _receipt_row(f: AppliedFact[MaterialReceived]) -> Row:
    p = f.payload
    own = next((a.value for a in p.material.aliases if a.value != p.printed_number), p.printed_number)
    return {
        "author": f.author,
        "receipt_id": p.receipt_id,
        "shipment_id": p.shipment_id,
        "shipment_number": p.shipment_number,
        "from_plant": p.from_plant,
        "material_id": p.material.material_id,
        "taken_in_as": p.material.material_id,
        "custody_no": p.custody_no,
        "provisional": p.provisional,
        "came_unlisted": p.provisional,
        "printed_number": p.printed_number,
        "own_number": own,
        "kind": p.material.kind,
        "grade": p.material.grade,
        "order_item": p.material.order_item,
        "mass_g": p.material.mass.g,
        "mass_basis": p.material.mass.basis,
        "scale": p.material.mass.scale,
        "sender_mass_g": p.sender_mass.g if p.sender_mass else None,
        "sender_mass_basis": p.sender_mass.basis if p.sender_mass else None,
        "place": p.material.place,
        "position": p.position,
        "damage": p.damage,
        "received_at_ms": f.occurred.at_ms,
        "recorded_at_ms": f.recorded_at_ms,
        "matched_at_ms": 0,
        "fact_id": f.fact_id,
    }


def _text(value: Any) -> str:
    return _encoder.encode(value).decode()
