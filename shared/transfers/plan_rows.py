"""Loads before they leave, fact by fact to rows; total, in the order of their author."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, delete, update

from shared.db.bulk import update_each
from shared.db.upsert import upsert
from shared.journal.apply import Appliers
from shared.journal.fact import AppliedFact
from shared.transfers.plan_facts import (
    PieceLoaded,
    PieceUnloaded,
    ShipmentAnnounced,
    ShipmentCancelled,
    ShipmentPlanned,
)
from shared.transfers.plan_tables import load_announcement, load_piece, load_plan

_encoder = msgspec.json.Encoder(order="deterministic")


def register(appliers: Appliers) -> None:
    """Hand the journal the appliers."""
    appliers.add(ShipmentPlanned, apply_shipment_planned)
    appliers.add(PieceLoaded, apply_piece_loaded)
    appliers.add(PieceUnloaded, apply_piece_unloaded)
    appliers.add(ShipmentAnnounced, apply_shipment_announced)
    appliers.add(ShipmentCancelled, apply_shipment_cancelled)


def apply_shipment_planned(conn: Connection, facts: Sequence[AppliedFact[ShipmentPlanned]]) -> None:
    """The plan as it stands; pieces that are planned no more go, unless they lie on the vehicle."""
    for f in facts:
        p = f.payload
        row = {
            **_head(f),
            "to_plant": p.to,
            "lane": p.lane,
            "mode": p.mode,
            "vehicle": p.vehicle,
            "carrier": p.carrier,
            "vehicles": _encoder.encode(p.vehicles).decode(),
            "eta_ms": p.eta_ms,
            "state": "open",
            "reason": "",
            "planned_at_ms": f.occurred.at_ms,
        }
        upsert(conn, load_plan, [row], update=[name for name in row if name not in ("author", "shipment_id", "state")])
        c = load_piece.c
        of_it = (c.author == f.author, c.shipment_id == p.shipment_id)
        conn.execute(update(load_piece).where(*of_it).values(planned=False))
        pieces = [_piece(f, one.material_id, one.number, one.mass_g) | {"planned": True} for one in p.pieces]
        upsert(conn, load_piece, pieces, update=["planned"])
        conn.execute(delete(load_piece).where(*of_it, c.planned.is_(False), c.loaded_at_ms == 0))


def apply_piece_loaded(conn: Connection, facts: Sequence[AppliedFact[PieceLoaded]]) -> None:
    """The piece lies on the vehicle."""
    for f in facts:
        p = f.payload
        lies = {"vehicle": p.vehicle, "position": p.position, "loaded_at_ms": f.occurred.at_ms, "loaded_by": f.actor}
        row = _piece(f, p.material_id, p.number, p.mass_g) | lies
        upsert(conn, load_piece, [row], update=["mass_g", *lies])


def apply_piece_unloaded(conn: Connection, facts: Sequence[AppliedFact[PieceUnloaded]]) -> None:
    """It is off the load altogether; planned again, it is planned again."""
    c = load_piece.c
    for f in facts:
        of_it = (c.author == f.author, c.shipment_id == f.payload.shipment_id)
        conn.execute(delete(load_piece).where(*of_it, c.material_id == f.payload.material_id))


def apply_shipment_announced(conn: Connection, facts: Sequence[AppliedFact[ShipmentAnnounced]]) -> None:
    """What the addressee is told; it has no other fact of the load yet, so the row stands by itself."""
    for f in facts:
        row = {
            **_head(f),
            "to_plant": f.payload.to,
            "vehicle": f.payload.vehicle,
            "eta_ms": f.payload.eta_ms,
            "pieces": _encoder.encode(f.payload.pieces).decode(),
            "cancelled": False,
            "announced_at_ms": f.occurred.at_ms,
            "recorded_at_ms": f.recorded_at_ms,
        }
        upsert(conn, load_announcement, [row], update=[n for n in row if n not in ("author", "shipment_id")])


def apply_shipment_cancelled(conn: Connection, facts: Sequence[AppliedFact[ShipmentCancelled]]) -> None:
    """The plan ends; an announcement of it is taken back with the same fact."""
    for f in facts:
        plan, told = load_plan.c, load_announcement.c
        mine = (plan.author == f.author, plan.shipment_id == f.payload.shipment_id, plan.state == "open")
        conn.execute(update(load_plan).where(*mine).values(state="cancelled", reason=f.payload.reason))
        said = (told.author == f.author, told.shipment_id == f.payload.shipment_id)
        last = {"cancelled": True, "recorded_at_ms": f.recorded_at_ms, "fact_id": f.fact_id}
        conn.execute(update(load_announcement).where(*said).values(**last))


def mark_left(conn: Connection, loads: Sequence[tuple[str, str]]) -> None:
    """Loads (author, shipment_id) that left: their plan, where there was one, is carried out."""
    left = [{"author": author, "shipment_id": shipment_id, "state": "left"} for author, shipment_id in loads]
    update_each(conn, load_plan, ("author", "shipment_id"), left)


def _head(f: AppliedFact[Any]) -> dict[str, Any]:
    return {
        "author": f.author,
        "shipment_id": f.payload.shipment_id,
        "number": f.payload.number,
        "fact_id": f.fact_id,
    }


def _piece(f: AppliedFact[Any], material_id: str, number: str, mass_g: int) -> dict[str, Any]:
    return {
        "author": f.author,
        "shipment_id": f.payload.shipment_id,
        "material_id": material_id,
        "number": number,
        "mass_g": mass_g,
        "planned": False,
        "vehicle": "",
        "position": "",
        "loaded_at_ms": 0,
        "loaded_by": "",
    }
