"""What an addressee must know goes down its stream: departures, corrections, and the cases that concern it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Select, and_, case, literal, select
from sqlalchemy.sql.elements import ColumnElement

from central_hub.hub import downlink
from central_hub.transfers.floors import open_spans
from shared.journal.tables import entry
from shared.transfers.tables import departure_correction, shipment, transfer_case, transfer_word
from shared.transfers.words import load_of_word

TOLD = ("refused", "returned", "lost", "amended", "taken", "differs")
"""Words that the other side of the lane must know; a bundle's new number only finds pieces here and at its receiver."""


def find_unrelayed(conn: Connection, hub: str) -> list[tuple[str, str]]:
    """(fact id, stream) still to be appended, loads before their corrections, in the order they were recorded.

    What lies below an author's floor went down before the floor was raised over it.
    """
    prefix = downlink(hub, "")
    loads = [row for author, from_ms in open_spans(conn) for row in conn.execute(_loads(prefix, author, from_ms))]
    loads.sort(key=lambda row: (row.recorded_at_ms, row.fact_id))
    queries = (_corrections(prefix), *_words(conn, prefix), *_cases(hub, prefix))
    later = [row for query in queries for row in conn.execute(query)]
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


def _words(conn: Connection, prefix: str) -> list[Select[Any]]:
    """What one side says of a line concerns the other one; an author's words above its floor."""
    w, s = transfer_word.c, shipment.c
    other = case((w.author == s.author, s.to_plant), else_=s.author)
    return [
        select(w.fact_id, other.label("plant"))
        .join_from(transfer_word, shipment, load_of_word())
        .where(w.author == author, w.recorded_at_ms >= from_ms, w.kind.in_(TOLD), _missing(w.fact_id, prefix, other))
        .order_by(w.recorded_at_ms, w.fact_id)
        for author, from_ms in open_spans(conn)
    ]


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
