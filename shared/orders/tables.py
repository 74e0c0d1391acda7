"""Rows of orders and schedules."""

from __future__ import annotations

from sqlalchemy import Column, Index

from shared.db.types import Code, Id, Int, Words, projection_table

order_item = projection_table(
    "order_item",
    Column("item", Code, primary_key=True),
    Column("customer", Words, nullable=False),
    Column("product", Words, nullable=False),
    Column("grade", Code, nullable=False),
    Column("thickness_um", Int, nullable=False),
    Column("width_um", Int, nullable=False),
    Column("mass_g", Int, nullable=False),
    Column("route", Code, nullable=False),
    Column("due", Code, nullable=False),
    Column("released_at_ms", Int, nullable=False),
)

sign_off = projection_table(
    # quality's word for an item, as it was released then
    "order_sign_off",
    Column("item", Code, primary_key=True),
    Column("released_at_ms", Int, nullable=False),
    Column("note", Words, nullable=False),
    Column("signed_by", Code, nullable=False),
    Column("signed_ms", Int, nullable=False),
)

schedule_line = projection_table(
    "schedule_line",
    Column("line_id", Id, primary_key=True),
    Column("unit", Code, nullable=False),
    Column("released_at_ms", Int, nullable=False),
    Column("position", Int, nullable=False),
    Column("piece", Code, nullable=False),
    Column("order_item", Code, nullable=False),
    Column("number", Code, nullable=False),
    # JSON text with sorted keys: the aims of the line, integers with the unit in the name
    Column("aims", Words, nullable=False),
    Column("state", Code, nullable=False),  # open | done | dropped
    Column("reason", Words, nullable=False),
    Column("closed_at_ms", Int),
    Index("ix_schedule_line_next", "author", "unit", "state", "released_at_ms", "position"),
    Index("ix_schedule_line_piece", "author", "piece"),
)
"""A unit's lines run in the order of (released_at_ms, position, line_id)."""
