"""Local tables of the stock: counts that are not closed yet, files of a take-over that are not recorded yet."""

from __future__ import annotations

from sqlalchemy import Column

from shared.db.types import Code, Id, Int, Words, local_table

stock_count = local_table(
    "stock_count",
    Column("take_id", Id, primary_key=True),
    Column("number", Code, primary_key=True),
    Column("place", Code, nullable=False),
    Column("counted_at_ms", Int, nullable=False),
    Column("counted_by", Code, nullable=False),
)

take_over_file = local_table(
    # what was handed in for a take-over, kept until it is recorded or given up: a crash in between loses nothing
    "take_over_file",
    Column("take_over_id", Id, primary_key=True),
    Column("name", Code, primary_key=True),  # stock | heats | steps
    Column("content", Words, nullable=False),
    Column("handed_in_ms", Int, nullable=False),
    Column("handed_in_by", Code, nullable=False),
)
