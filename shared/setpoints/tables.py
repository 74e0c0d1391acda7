"""Rows of set-points: one each, with what became of it."""

from __future__ import annotations

from sqlalchemy import Column, Index

from shared.db.types import Code, Id, Int, Words, projection_table

set_point = projection_table(
    "set_point",
    Column("setpoint_id", Id, primary_key=True),
    Column("link", Code, nullable=False),
    Column("unit", Code, nullable=False),
    Column("message", Code, nullable=False),
    Column("title", Words, nullable=False),
    # of the piece it is for, and the number it was asked for by; empty where it is for none
    Column("material_id", Id, nullable=False),
    Column("number", Words, nullable=False),
    # JSON text with sorted keys
    Column("values", Words, nullable=False),
    Column("asked_by", Code, nullable=False),
    Column("asked_ms", Int, nullable=False),
    # open, then confirmed, refused or withheld
    Column("state", Code, nullable=False),
    Column("answer", Words, nullable=False),
    Column("settled_by", Code, nullable=False),
    Column("settled_ms", Int),
    Index("ix_set_point_material_id", "material_id"),
)
