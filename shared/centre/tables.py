"""Rows of what the centre decides for plants."""

from __future__ import annotations

from sqlalchemy import Column, Index

from shared.db.types import Code, Id, Int, Words, projection_table

domain_owner = projection_table(
    # by the plant's last word
    "domain_owner",
    Column("domain", Code, primary_key=True),
    # plant | hub
    Column("owner", Code, nullable=False),
    Column("since_ms", Int, nullable=False),
)

sent_down = projection_table(
    "sent_down",
    Column("sent_id", Id, primary_key=True),
    Column("plant", Code, nullable=False),
    Column("domain", Code, nullable=False),
    # the payload as JSON text with sorted keys
    Column("body", Words, nullable=False),
    Column("sent_by", Code, nullable=False),
    Column("sent_ms", Int, nullable=False),
    Column("fact_id", Id, nullable=False),
    Index("ix_sent_down_plant", "plant", "sent_ms"),
)

sent_down_answer = projection_table(
    "sent_down_answer",
    Column("sent_id", Id, primary_key=True),
    # done | refused
    Column("outcome", Code, nullable=False),
    Column("reason", Words, nullable=False),
    Column("answered_ms", Int, nullable=False),
)
