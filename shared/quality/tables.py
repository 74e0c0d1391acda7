"""Rows of quality: samples and their values, decisions with their inputs, holds with their end."""

from __future__ import annotations

from sqlalchemy import Column, Index

from shared.db.types import Code, Id, Int, Words, projection_table

sample = projection_table(
    "sample",
    Column("sample_id", Id, primary_key=True),
    Column("sample_number", Code, nullable=False),
    Column("material_id", Id, nullable=False),
    Column("place", Code, nullable=False),
    Column("taken_at_ms", Int, nullable=False),
    Column("analysed_at_ms", Int, nullable=False),
    Index("ix_sample_sample_id", "sample_id"),
    Index("ix_sample_material_id", "material_id", "place"),
)

sample_value = projection_table(
    "sample_value",
    Column("sample_id", Id, primary_key=True),
    Column("element", Code, primary_key=True),
    Column("value_e6", Int, nullable=False),
    Column("operator", Code, nullable=False),
    Column("digits", Int, nullable=False),
)

decision = projection_table(
    "decision",
    Column("decision_id", Id, primary_key=True),
    Column("rule_id", Code, nullable=False),
    Column("rule_version", Int, nullable=False),
    Column("rule_hash", Code, nullable=False),
    Column("material_id", Id, nullable=False),
    Column("outcome", Code, nullable=False),
    # JSON text with sorted keys: what was asked for and given; run again, it gives the same answer
    Column("inputs", Words, nullable=False),
    Column("explanation", Words, nullable=False),
    Column("decided_at_ms", Int, nullable=False),
    Column("decided_by", Code, nullable=False),
    Index("ix_decision_decision_id", "decision_id"),
    Index("ix_decision_material_id", "material_id", "decided_at_ms"),
    Index("ix_decision_outcome", "author", "outcome", "decided_at_ms"),
)

hold = projection_table(
    "hold",
    Column("hold_id", Id, primary_key=True),
    Column("material_id", Id, nullable=False),
    Column("reason", Words, nullable=False),
    Column("rule_id", Code, nullable=False),
    Column("decision_id", Id, nullable=False),
    Column("inherited_from", Id, nullable=False),
    # empty for a release whose placing is not readable here yet (quarantined): the release is not lost with it
    Column("placed_at_ms", Int),
    Column("placed_by", Code, nullable=False),
    Column("released_at_ms", Int),
    Column("released_by", Code, nullable=False),
    Column("disposition", Code, nullable=False),
    Column("note", Words, nullable=False),
    Column("only_for", Code, nullable=False),
    Index("ix_hold_hold_id", "hold_id"),
    Index("ix_hold_material_id", "material_id", "released_at_ms"),
    Index("ix_hold_inherited_from", "inherited_from"),
    Index("ix_hold_open", "author", "released_at_ms", "placed_at_ms"),
)
