"""Figures of units as rows: base measures summed up as facts are applied, states, stops, handover notes."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index

from shared.db.types import Code, Id, Int, Words, projection_table

rollup = projection_table(
    "rollup",
    Column("unit", Code, primary_key=True),
    Column("production_day", Code, primary_key=True),
    Column("shift", Code, primary_key=True),
    Column("measure", Code, primary_key=True),
    Column("collected", Code, primary_key=True),
    Column("total", Int, nullable=False),
    Column("events", Int, nullable=False),
    Column("last_at_ms", Int, nullable=False),
    Index("ix_rollup_production_day", "production_day", "unit"),
)

unit_state = projection_table(
    "unit_state",
    Column("unit", Code, primary_key=True),
    Column("state", Code, nullable=False),
    Column("reason", Code, nullable=False),
    Column("since_ms", Int, nullable=False),
    Column("production_day", Code, nullable=False),
    Column("shift", Code, nullable=False),
    Column("last_fact", Id, nullable=False),
)

state_change = projection_table(
    "state_change",
    Column("fact_id", Id, primary_key=True),
    Column("unit", Code, nullable=False),
    Column("state", Code, nullable=False),
    Column("reason", Code, nullable=False),
    Column("at_ms", Int, nullable=False),
    Column("production_day", Code, nullable=False),
    Column("shift", Code, nullable=False),
    Index("ix_state_change_unit", "author", "unit", "at_ms"),
)

stop = projection_table(
    "stop",
    Column("stop_id", Id, primary_key=True),
    Column("unit", Code, nullable=False),
    Column("from_ms", Int, nullable=False),
    Column("to_ms", Int, nullable=False),
    Column("reason", Code, nullable=False),
    Column("note", Words, nullable=False),
    Column("production_day", Code, nullable=False),
    Column("shift", Code, nullable=False),
    Column("last_fact", Id, nullable=False),
    Index("ix_stop_production_day", "production_day", "unit"),
)

handover = projection_table(
    "handover",
    Column("fact_id", Id, primary_key=True),
    Column("production_day", Code, nullable=False),
    Column("shift", Code, nullable=False),
    Column("text", Words, nullable=False),
    Column("actor", Code, nullable=False),
    Column("at_ms", Int, nullable=False),
    Index("ix_handover_production_day", "production_day", "shift"),
)

day_close = projection_table(
    "day_close",
    Column("fact_id", Id, primary_key=True),
    Column("production_day", Code, nullable=False),
    Column("from_ms", Int, nullable=False),
    Column("to_ms", Int, nullable=False),
    Column("open_imbalances", Int, nullable=False),
    Column("signed", Boolean, nullable=False),
    Column("reason", Words, nullable=False),
    Column("actor", Code, nullable=False),
    Column("at_ms", Int, nullable=False),
    Column("nth", Int, nullable=False),
    Index("ix_day_close_day", "author", "production_day", "nth"),
)

day_close_line = projection_table(
    # the balance as it was when the day was closed: what differs now was changed since
    "day_close_line",
    Column("fact_id", Id, primary_key=True),
    Column("unit", Code, primary_key=True),
    Column("operation", Code, primary_key=True),
    Column("unit_class", Code, nullable=False),
    Column("tolerance_ppm", Int, nullable=False),
    Column("operations", Int, nullable=False),
    Column("charged_g", Int, nullable=False),
    Column("added_g", Int, nullable=False),
    Column("produced_g", Int, nullable=False),
    Column("loss_g", Int, nullable=False),
)

imbalance_settled = projection_table(
    "imbalance_settled",
    Column("operation_id", Id, primary_key=True),
    Column("unexplained_g", Int, nullable=False),
    Column("reason", Words, nullable=False),
    Column("actor", Code, nullable=False),
    Column("at_ms", Int, nullable=False),
    Column("fact_id", Id, nullable=False),
)
