"""What the comparison with an old MES keeps: its files, its pieces by day, what differs. All local."""

from __future__ import annotations

from sqlalchemy import Column, Index

from shared.db.types import Code, Id, Int, Words, local_table

pilot_file = local_table(
    "pilot_file",
    Column("name", Words, primary_key=True),
    # size and time of change: the same again is not read again
    Column("mark", Code, nullable=False),
    Column("day", Code, nullable=False),
    Column("read_ms", Int, nullable=False),
    # why it could not be read at all
    Column("problem", Words, nullable=False),
)

pilot_day = local_table(
    "pilot_day",
    # production day, ISO
    Column("day", Code, primary_key=True),
    Column("file", Words, nullable=False),
    Column("imported_ms", Int, nullable=False),
    Column("compared_ms", Int, nullable=False),
    Column("theirs", Int, nullable=False),
    Column("ours", Int, nullable=False),
    # pieces that both have and that agree in every field
    Column("same", Int, nullable=False),
    Column("missing_here", Int, nullable=False),
    Column("missing_there", Int, nullable=False),
    # pieces, not fields
    Column("differing", Int, nullable=False),
    # lines of their file that could not be read
    Column("problems", Int, nullable=False),
)

pilot_piece = local_table(
    "pilot_piece",
    Column("day", Code, primary_key=True),
    Column("line", Int, primary_key=True, autoincrement=False),
    Column("number", Code, nullable=False),
    Column("said", Words, nullable=False),
    Column("problem", Words, nullable=False),
    Index("ix_pilot_piece_number", "number", "day"),
)

pilot_difference = local_table(
    "pilot_difference",
    Column("day", Code, primary_key=True),
    Column("number", Code, primary_key=True),
    # empty where the piece is missing on one side
    Column("field", Code, primary_key=True),
    Column("kind", Code, nullable=False),
    Column("ours", Words, nullable=False),
    Column("theirs", Words, nullable=False),
    Column("unit", Code, nullable=False),
    # the first thing to look at, its words, and where
    Column("cause", Code, nullable=False),
    Column("hint", Words, nullable=False),
    Column("repair_id", Id),
    Column("spool_id", Int),
)
