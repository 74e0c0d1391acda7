"""Local table of number counters: what this installation has printed."""

from __future__ import annotations

from sqlalchemy import Column

from shared.db.types import Code, Int, local_table

number_counter = local_table(
    "number_counter",
    Column("scheme", Code, primary_key=True),
    Column("last", Int, nullable=False),
)
