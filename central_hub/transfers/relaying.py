"""What an addressee must know goes down its stream: departures, corrections, and the cases that concern it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Select, and_, literal, select
from sqlalchemy.sql.elements import ColumnElement

from central_hub.hub import downlink
from central_hub.transfers.floors import open_spans
from shared.journal.tables import entry
from shared.transfers.tables import departure_correction, shipment, transfer_case


def find_unrelayed(conn: Connection, hub: str) -> list[tuple[str, str]]:
    """(fact id, stream) still to be appended, loads before their corrections, in the order they were recorded.

    What lies below an author's floor went down before the floor was raised over it.
    """
    prefix = downlink(hub, "")
    loads = [row for author, from_ms in open_spans(conn) for row in conn.execute(_loads(prefix, author, from_ms))]
    loads.sort(key=lambda row: (row.recorded_at_ms, row.fact_id))
    later = [row for query in (_corrections(prefix), *_cases(hub, prefix)) for row in conn.execute(query)]
    return [(row.fact_id, prefix + row.plant) for row in (*loads, *later)]


def _loads(prefix: str, author: str, from_ms: int) -> Select[Any]:
    c = shipment.c
    recent = and_(c.author == author, c.recorded_at_ms >= from_ms)
    return select(c.fact_id, c.recorded_at_ms, c.to_plant.label("plant")).where(
        recent, _missing(c.fact_id, prefix, c.to_plant)
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
