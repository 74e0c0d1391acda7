"""Local table of the versions of the plant's model file."""

from __future__ import annotations

from sqlalchemy import Column

from shared.db.types import Code, Int, Words, local_table

model_version = local_table(
    "plant_model_version",
    Column("version", Int, primary_key=True, autoincrement=False),
    Column("sha256", Code, nullable=False),
    Column("text", Words, nullable=False),
    # why; a version that was found on the machine says so and has nobody
    Column("reason", Words, nullable=False),
    Column("saved_ms", Int, nullable=False),
    Column("saved_by", Code, nullable=False),
)
