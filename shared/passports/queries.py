"""Named reads of passports."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, select

from shared.passports.document import PieceBody, open_body, split
from shared.passports.tables import passport, passport_missing, passport_taken, plant_key_list


def find_issued(conn: Connection, sender: str, shipment_id: str) -> dict[str, Row[Any]]:
    """The youngest passport of each piece of a load, by material id; that of the load under the empty one."""
    c = passport.c
    query = select(passport).where(c.author == sender, c.shipment_id == shipment_id)
    return {row.material_id: row for row in conn.execute(query.order_by(c.issued_ms, c.fact_id))}


def find_missing(conn: Connection, sender: str, shipment_id: str) -> dict[str, str]:
    """Material id -> why a piece of a load left without a passport."""
    c = passport_missing.c
    query = select(c.material_id, c.reason).where(c.author == sender, c.shipment_id == shipment_id)
    return {row.material_id: row.reason for row in conn.execute(query)}


def find_taken(conn: Connection, receipt_id: str) -> Row[Any] | None:
    """The passport that a receipt was made by."""
    return conn.execute(select(passport_taken).where(passport_taken.c.receipt_id == receipt_id)).first()


def taken_of(conn: Connection, material_id: str) -> Sequence[Row[Any]]:
    """Receipts of a piece by passport, at any plant, the youngest first."""
    c = passport_taken.c
    return conn.execute(select(passport_taken).where(c.material_id == material_id).order_by(c.taken_ms.desc())).all()


def find_taken_body(conn: Connection, here: str, material_id: str) -> PieceBody | None:
    """What the passport said by which a piece was last taken in here, where it was believed."""
    rows = [row for row in taken_of(conn, material_id) if row.author == here and row.standing == "good"]
    return read_body(rows[0].body) if rows else None


def read_body(stored: str) -> PieceBody | None:
    """What a stored passport says; its signature held when it was stored."""
    body = open_body(split(base64.b64decode(stored)))
    return body if isinstance(body, PieceBody) else None


def list_all_key_lists(conn: Connection, hub: str) -> Sequence[Row[Any]]:
    """The hub's lists of plants' keys, the first one first."""
    c = plant_key_list.c
    query = select(plant_key_list).where(c.author == hub)
    return conn.execute(query.order_by(c.version, c.issued_ms)).all()


def list_key_lists(conn: Connection, hub: str, limit: int = 5) -> Sequence[Row[Any]]:
    """The hub's lists of plants' keys, the latest first."""
    c = plant_key_list.c
    query = select(plant_key_list).where(c.author == hub)
    return conn.execute(query.order_by(c.version.desc(), c.issued_ms.desc()).limit(limit)).all()
