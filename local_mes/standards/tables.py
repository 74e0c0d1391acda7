"""What the plant trusts: one row, never copied, never rebuilt from facts."""

from __future__ import annotations

from sqlalchemy import Column, String

from shared.db.types import Code, Int, Words, local_table

standards_trust = local_table(
    "standards_trust",
    Column("plant", Code, primary_key=True),
    Column("hub", Code, nullable=False),
    Column("root", Words, nullable=False),
    Column("root_version", Int, nullable=False),
    Column("catalogue_version", Int, nullable=False, default=0),
    Column("catalogue_sha256", String(64), nullable=False, default=""),
    Column("catalogue", Words, nullable=False, default=""),
    Column("timestamp_version", Int, nullable=False, default=0),
    Column("assignment_version", Int, nullable=False, default=0),
    Column("fresh_until_ms", Int, nullable=False, default=0),
    Column("time_floor_ms", Int, nullable=False, default=0),
    # the last assignment looked at, adopted or refused, so that each is looked at once
    Column("seen_assignment_version", Int, nullable=False, default=0),
    # when the set may change by itself: a version takes hold, a deviation expires; 0: never
    Column("next_look_ms", Int, nullable=False, default=0),
    # hash of units and values the set was bound to: an edited plant model is bound again
    Column("model_sha256", String(64), nullable=False, default=""),
)
