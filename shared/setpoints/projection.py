"""Facts of set-points to rows."""

from __future__ import annotations

import json
from collections.abc import Sequence

from sqlalchemy import Connection, update

from shared.db.upsert import upsert
from shared.journal.apply import Appliers
from shared.journal.fact import AppliedFact
from shared.setpoints.facts import SetPointGiven, SetPointSettled
from shared.setpoints.tables import set_point

OPEN = "open"


def register(appliers: Appliers) -> None:
    """Hand the journal every applier of set-points."""
    appliers.add(SetPointGiven, apply_given)
    appliers.add(SetPointSettled, apply_settled)


def apply_given(conn: Connection, group: Sequence[AppliedFact[SetPointGiven]]) -> None:
    """A set-point that was asked for."""
    rows = [
        {
            "author": f.author,
            "setpoint_id": f.payload.setpoint_id,
            "link": f.payload.link,
            "unit": f.payload.unit,
            "message": f.payload.message,
            "title": f.payload.title,
            "material_id": f.payload.material_id,
            "number": f.payload.number,
            "values": json.dumps(f.payload.values, sort_keys=True, ensure_ascii=False),
            "asked_by": f.actor,
            "asked_ms": f.occurred.at_ms,
            "state": OPEN,
            "answer": "",
            "settled_by": "",
            "settled_ms": None,
        }
        for f in group
    ]
    upsert(conn, set_point, rows)


def apply_settled(conn: Connection, group: Sequence[AppliedFact[SetPointSettled]]) -> None:
    """What became of it: the last word."""
    c = set_point.c
    for f in group:
        row = update(set_point).where(c.author == f.author, c.setpoint_id == f.payload.setpoint_id)
        conn.execute(
            row.values(
                state=f.payload.outcome,
                answer=f.payload.answer,
                settled_by=f.actor,
                settled_ms=f.occurred.at_ms,
            )
        )
