"""Rows of loads before they leave: the plan, the pieces on it, and what their addressee was told."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index

from shared.db.types import Code, Id, Int, Words, projection_table

load_plan = projection_table(
    "load_plan",
    Column("shipment_id", Id, primary_key=True),
    Column("number", Code, nullable=False),
    Column("to_plant", Code, nullable=False),
    Column("lane", Code, nullable=False),
    Column("mode", Code, nullable=False),
    Column("vehicle", Code, nullable=False),
    Column("carrier", Code, nullable=False, server_default=""),  # who drives it
    Column("vehicles", Words, nullable=False),  # JSON list of {code, limit_g}
    Column("eta_ms", Int, nullable=False),  # 0: by the lane's usual time
    Column("state", Code, nullable=False),  # open | left | cancelled
    Column("reason", Words, nullable=False),  # why it was cancelled
    Column("planned_at_ms", Int, nullable=False),
    Column("fact_id", Id, nullable=False),
    Index("ix_load_plan_state", "author", "state"),
    Index("ix_load_plan_number", "number"),
)

load_piece = projection_table(
    "load_piece",
    Column("shipment_id", Id, primary_key=True),
    Column("material_id", Id, primary_key=True),
    Column("number", Code, nullable=False),
    Column("mass_g", Int, nullable=False),
    Column("planned", Boolean, nullable=False),
    Column("vehicle", Code, nullable=False),  # empty until it is loaded
    Column("position", Code, nullable=False),
    Column("loaded_at_ms", Int, nullable=False),  # 0: not (or not any more)
    Column("loaded_by", Code, nullable=False),
    Index("ix_load_piece_material_id", "material_id"),
)

load_announcement = projection_table(
    # what the addressee is told before a load leaves; fact_id is the last word of it
    "load_announcement",
    Column("shipment_id", Id, primary_key=True),
    Column("number", Code, nullable=False),
    Column("to_plant", Code, nullable=False),
    Column("vehicle", Code, nullable=False),
    Column("eta_ms", Int, nullable=False),
    Column("pieces", Words, nullable=False),  # JSON list of PieceData
    Column("cancelled", Boolean, nullable=False),
    Column("announced_at_ms", Int, nullable=False),
    Column("recorded_at_ms", Int, nullable=False),
    Column("fact_id", Id, nullable=False),
    Index("ix_load_announcement_recorded", "author", "recorded_at_ms"),
    Index("ix_load_announcement_to_plant", "to_plant"),
)
