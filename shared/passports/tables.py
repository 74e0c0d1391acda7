"""Rows of passports: what a sender issued, what a receiver took pieces in by, whose keys count."""

from __future__ import annotations

from sqlalchemy import Column, Index, String

from shared.db.types import Code, Id, Int, Words, projection_table

Hash = String(64)

passport = projection_table(
    "passport",
    Column("digest", Hash, primary_key=True),
    Column("shipment_id", Id, nullable=False),
    Column("shipment_number", Code, nullable=False),
    Column("to_plant", Code, nullable=False),
    Column("material_id", Id, nullable=False),  # empty: the load's
    Column("key_id", Code, nullable=False),
    Column("issued_ms", Int, nullable=False),
    Column("expires_ms", Int, nullable=False),
    Column("body", Words, nullable=False),  # base64
    Column("fact_id", Id, nullable=False),
    Index("ix_passport_load", "shipment_id", "material_id"),
)

passport_missing = projection_table(
    # pieces that left without one, and why
    "passport_missing",
    Column("shipment_id", Id, primary_key=True),
    Column("material_id", Id, primary_key=True),
    Column("reason", Words, nullable=False),
)

passport_taken = projection_table(
    "passport_taken",
    Column("receipt_id", Id, primary_key=True),
    Column("digest", Hash, nullable=False),
    Column("key_id", Code, nullable=False),
    Column("sender", Code, nullable=False),
    Column("shipment_id", Id, nullable=False),
    Column("shipment_number", Code, nullable=False),
    Column("material_id", Id, nullable=False),
    Column("custody_no", Int, nullable=False),
    Column("standing", Code, nullable=False),  # good | revoked
    Column("body", Words, nullable=False),  # base64
    Column("taken_ms", Int, nullable=False),
    Index("ix_passport_taken_material_id", "material_id"),
)

plant_key_list = projection_table(
    "plant_key_list",
    Column("fact_id", Id, primary_key=True),
    Column("version", Int, nullable=False),
    Column("issued_ms", Int, nullable=False),
    Column("envelope", Words, nullable=False),
    Index("ix_plant_key_list_version", "version"),
)
