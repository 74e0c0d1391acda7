"""Facts of performance as rows. Roll-ups are additive: each fact is applied once, so each counts once."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection, select

from shared.db.upsert import upsert
from shared.journal.apply import Appliers
from shared.journal.fact import AppliedFact
from shared.performance import facts as f
from shared.performance.closing_facts import DayClosed, ImbalanceSettled
from shared.performance.tables import (
    day_close,
    day_close_line,
    handover,
    imbalance_settled,
    rollup,
    state_change,
    stop,
    unit_state,
)


def apply_measure_counted(conn: Connection, facts: Sequence[AppliedFact[f.MeasureCounted]]) -> None:
    """Sum base measures by unit, production day, shift, measure and way of collecting."""
    rows = [
        {
            "author": x.author,
            "unit": x.payload.unit,
            "production_day": x.payload.production_day,
            "shift": x.payload.shift,
            "measure": measure,
            "collected": x.payload.collected,
            "total": value,
            "events": 1,
            "last_at_ms": x.occurred.at_ms,
        }
        for x in facts
        for measure, value in sorted(x.payload.measures.items())
    ]
    upsert(conn, rollup, rows, update=["last_at_ms"], add=["total", "events"])


def apply_unit_state_changed(conn: Connection, facts: Sequence[AppliedFact[f.UnitStateChanged]]) -> None:
    """Keep every change, and the youngest state of each unit by the time it is claimed for."""
    changes = [
        {
            "author": x.author,
            "fact_id": x.fact_id,
            "unit": x.payload.unit,
            "state": x.payload.state,
            "reason": x.payload.reason,
            "at_ms": x.occurred.at_ms,
            "production_day": x.payload.production_day,
            "shift": x.payload.shift,
        }
        for x in facts
    ]
    upsert(conn, state_change, changes)
    since = {
        (r.author, r.unit): r.since_ms
        for r in conn.execute(
            select(unit_state.c.author, unit_state.c.unit, unit_state.c.since_ms).where(
                unit_state.c.unit.in_(sorted({x.payload.unit for x in facts}))
            )
        )
    }
    for row in changes:
        key = (row["author"], row["unit"])
        if row["at_ms"] >= since.get(key, row["at_ms"]):
            since[key] = row["at_ms"]
            kept = {name: row[name] for name in ("author", "unit", "state", "reason", "production_day", "shift")}
            upsert(
                conn,
                unit_state,
                [kept | {"since_ms": row["at_ms"], "last_fact": row["fact_id"]}],
                update=["state", "reason", "since_ms", "production_day", "shift", "last_fact"],
            )


def apply_stop_recorded(conn: Connection, facts: Sequence[AppliedFact[f.StopRecorded]]) -> None:
    """A stop, or the correction of one."""
    names = ("unit", "from_ms", "to_ms", "reason", "note", "production_day", "shift")
    rows = [
        {"author": x.author, "stop_id": x.payload.stop_id, "last_fact": x.fact_id}
        | {name: getattr(x.payload, name) for name in names}
        for x in facts
    ]
    upsert(conn, stop, rows, update=[*names, "last_fact"])


def apply_handover_noted(conn: Connection, facts: Sequence[AppliedFact[f.HandoverNoted]]) -> None:
    """A note for the next shift."""
    upsert(
        conn,
        handover,
        [
            {
                "author": x.author,
                "fact_id": x.fact_id,
                "production_day": x.payload.production_day,
                "shift": x.payload.shift,
                "text": x.payload.text,
                "actor": x.actor,
                "at_ms": x.occurred.at_ms,
            }
            for x in facts
        ],
    )


def apply_day_closed(conn: Connection, facts: Sequence[AppliedFact[DayClosed]]) -> None:
    """A close, with the figures it rests on; closes before it stay."""
    names = ("production_day", "from_ms", "to_ms", "open_imbalances", "signed", "reason", "nth")
    closes = [
        {"author": x.author, "fact_id": x.fact_id, "actor": x.actor, "at_ms": x.recorded_at_ms}
        | {name: getattr(x.payload, name) for name in names}
        for x in facts
    ]
    upsert(conn, day_close, closes)
    lines = [
        {"author": x.author, "fact_id": x.fact_id} | msgspec.structs.asdict(line)
        for x in facts
        for line in x.payload.lines
    ]
    upsert(conn, day_close_line, lines)


def apply_imbalance_settled(conn: Connection, facts: Sequence[AppliedFact[ImbalanceSettled]]) -> None:
    """An imbalance that a person explained; a later word replaces the one before."""
    rows = [
        {
            "author": x.author,
            "operation_id": x.payload.operation_id,
            "unexplained_g": x.payload.unexplained_g,
            "reason": x.payload.reason,
            "actor": x.actor,
            "at_ms": x.recorded_at_ms,
            "fact_id": x.fact_id,
        }
        for x in facts
    ]
    upsert(conn, imbalance_settled, rows, update=["unexplained_g", "reason", "actor", "at_ms", "fact_id"])


def register(appliers: Appliers) -> None:
    """Give the journal the appliers of this subject."""
    appliers.add(f.MeasureCounted, apply_measure_counted)
    appliers.add(f.UnitStateChanged, apply_unit_state_changed)
    appliers.add(f.StopRecorded, apply_stop_recorded)
    appliers.add(f.HandoverNoted, apply_handover_noted)
    appliers.add(DayClosed, apply_day_closed)
    appliers.add(ImbalanceSettled, apply_imbalance_settled)
