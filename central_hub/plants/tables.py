"""Local tables of the registry. A plant's facts are in the journal; who it is, is decided here by people."""

from __future__ import annotations

from sqlalchemy import Column, Index, String

from shared.db.types import Code, Int, Words, local_table

plant = local_table(
    "plant",
    Column("code", Code, primary_key=True),
    Column("name", Words, nullable=False),
    Column("fingerprint", Code, nullable=False),
    Column("enrolled_at_ms", Int, nullable=False),
)

enrol_token = local_table(
    # only the hash: who reads the database cannot enrol
    "enrol_token",
    Column("token_hash", String(64), primary_key=True),
    Column("plant", Code, nullable=False),
    Column("issued_at_ms", Int, nullable=False),
    Column("expires_at_ms", Int, nullable=False),
    Column("used_at_ms", Int),
    Index("ix_enrol_token_plant", "plant"),
)
