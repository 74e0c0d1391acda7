"""Vehicles on a weighbridge: what they carried, by two weighings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, select

from shared.db.upsert import upsert
from shared.journal.apply import Appliers
from shared.journal.fact import AppliedFact
from shared.transfers.facts import VehicleWeighed
from shared.transfers.tables import vehicle_weighing


def register(appliers: Appliers) -> None:
    """Hand the journal the applier."""
    appliers.add(VehicleWeighed, apply_vehicle_weighed)


def apply_vehicle_weighed(conn: Connection, facts: Sequence[AppliedFact[VehicleWeighed]]) -> None:
    """One row a weighing; one that is told again replaces it."""
    rows = [{"author": f.author, "weighed_at_ms": f.occurred.at_ms, **msgspec.structs.asdict(f.payload)} for f in facts]
    names = [column.name for column in vehicle_weighing.columns if not column.primary_key]
    upsert(conn, vehicle_weighing, rows, update=names)


def find_weighings(conn: Connection, author: str, limit: int = 50) -> Sequence[Row[Any]]:
    """The newest weighings of a plant, newest first."""
    c = vehicle_weighing.c
    query = select(vehicle_weighing).where(c.author == author).order_by(c.weighed_at_ms.desc(), c.weighing_id.desc())
    return conn.execute(query.limit(limit)).all()
