"""Journeys of pieces between plants: who sent them when, with which load, and who took them in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, bindparam, select

from shared.db.prepared import Prepared, listed
from shared.transfers.tables import receipt, shipment, shipment_line


class Departure(NamedTuple):
    """A piece that left: its sender, the load and where it goes, UTC ms."""

    material_id: str
    plant: str
    shipment_id: str
    number: str
    to: str
    vehicle: str
    at_ms: int


class Arrival(NamedTuple):
    """A piece that was taken in: by whom, of which load, UTC ms. receipt_id names the act."""

    material_id: str
    plant: str
    shipment_id: str
    number: str
    sender: str
    receipt_id: str
    at_ms: int


def departures_of(conn: Connection, ids: Sequence[str]) -> list[Departure]:
    """Departures of these pieces that did occur, by time."""
    return [Departure._make(row) for row in _LEFT.rows(conn, ids=sorted(set(ids)))]


def arrivals_of(conn: Connection, ids: Sequence[str]) -> list[Arrival]:
    """Receipts of these pieces, by time."""
    return [Arrival._make(row) for row in _CAME.rows(conn, ids=sorted(set(ids)))]


def _make_left(database: str) -> Select[Any]:
    line, s = shipment_line.c, shipment.c
    mine = (s.author == line.author) & (s.shipment_id == line.shipment_id)
    return (
        select(line.material_id, line.author, line.shipment_id, s.number, s.to_plant, s.vehicle, line.departed_at_ms)
        .join(shipment, mine)
        .where(listed(database, line.material_id, "ids"), line.withdrawn == bindparam("no", False))
        .order_by(line.departed_at_ms, line.fact_id, line.material_id)
    )


def _make_came(database: str) -> Select[Any]:
    r = receipt.c
    names = (r.material_id, r.author, r.shipment_id, r.shipment_number, r.from_plant, r.receipt_id, r.received_at_ms)
    return select(*names).where(listed(database, r.material_id, "ids")).order_by(r.received_at_ms, r.receipt_id)


_LEFT, _CAME = Prepared(_make_left), Prepared(_make_came)
