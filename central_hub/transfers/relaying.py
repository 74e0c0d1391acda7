"""What an addressee must know goes down its stream: departures, corrections, and the cases that concern it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Select, and_, literal, select
from sqlalchemy.sql.elements import ColumnElement

from central_hub.hub import downlink
from shared.journal.tables import entry
from shared.transfers.tables import departure_correction, shipment, transfer_case


def find_unrelayed(conn: Connection, hub: str) -> list[tuple[str, str]]:
    """(fact id, stream) still to be appended, loads before their corrections, in the order they were recorded."""
    prefix = downlink(hub, "")
    found: list[tuple[str, str]] = []
    for query in (_loads(prefix), _corrections(prefix), *_cases(hub, prefix)):
        found += [(row.fact_id, prefix + row.plant) for row in conn.execute(query)]
    return found


def _loads(prefix: str) -> Select[Any]:
    c = shipment.c
    return (
        select(c.fact_id, c.to_plant.label("plant"))
        .where(_missing(c.fact_id, prefix, c.to_plant))
        .order_by(c.recorded_at_ms, c.fact_id)
    )


def _corrections(prefix: str) -> Select[Any]:
    c, s = departure_correction.c, shipment.c
    return (
        select(c.fact_id, s.to_plant.label("plant"))
        .join_from(departure_correction, shipment, and_(s.author == c.author, s.shipment_id == c.shipment_id))
        .where(_missing(c.fact_id, prefix, s.to_plant))
        .order_by(c.recorded_at_ms, c.fact_id)
    )


def _cases(hub: str, prefix: str) -> list[Select[Any]]:
    c = transfer_case.c
    return [
        select(c.fact_id, plant.label("plant"))
        .where(c.author == hub, plant != "", _missing(c.fact_id, prefix, plant))
        .order_by(c.opened_at_ms, c.case_id)
        for plant in (c.from_plant, c.to_plant)
    ]


def _missing(fact_id: ColumnElement[str], prefix: str, plant: ColumnElement[str]) -> ColumnElement[bool]:
    there = and_(entry.c.fact_id == fact_id, entry.c.stream == literal(prefix) + plant)
    return ~select(literal(1)).select_from(entry).where(there).exists()
