"""Rows of people's work: actions acknowledged and done, data collected, checklists gone through, qualifications."""

from __future__ import annotations

from sqlalchemy import Column, Index

from shared.db.types import Code, Id, Int, Words, projection_table

task_done = projection_table(
    "task_done",
    Column("decision_id", Id, primary_key=True),
    Column("action", Int, primary_key=True),
    Column("workflow_id", Code, nullable=False),
    Column("note", Words, nullable=False),
    Column("done_by", Code, nullable=False),
    Column("done_ms", Int, nullable=False),
)

collected = projection_table(
    "data_collected",
    Column("record_id", Id, primary_key=True),
    Column("standard_id", Code, nullable=False),
    Column("standard_version", Int, nullable=False),
    Column("unit", Code, nullable=False),
    Column("material_id", Id, nullable=False),
    Column("of", Code, nullable=False),
    # JSON text with sorted keys
    Column("values", Words, nullable=False),
    Column("said_by", Code, nullable=False),
    Column("at_ms", Int, nullable=False),
    Index("ix_data_collected_material_id", "material_id"),
    Index("ix_data_collected_at", "author", "at_ms"),
)

checklist = projection_table(
    "checklist_done",
    Column("record_id", Id, primary_key=True),
    Column("standard_id", Code, nullable=False),
    Column("standard_version", Int, nullable=False),
    Column("unit", Code, nullable=False),
    # step numbers, each between two blanks
    Column("confirmed", Words, nullable=False),
    Column("note", Words, nullable=False),
    Column("said_by", Code, nullable=False),
    Column("at_ms", Int, nullable=False),
    Index("ix_checklist_done_at", "author", "at_ms"),
)

task_acknowledged = projection_table(
    "task_acknowledged",
    Column("decision_id", Id, primary_key=True),
    Column("action", Int, primary_key=True),
    Column("workflow_id", Code, nullable=False),
    Column("said_by", Code, nullable=False),
    Column("at_ms", Int, nullable=False),
)

qualification = projection_table(
    "qualification",
    Column("person_id", Code, primary_key=True),
    Column("name", Code, primary_key=True),
    Column("from_ms", Int, nullable=False),
    # 0: without end
    Column("until_ms", Int, nullable=False),
    Column("note", Words, nullable=False),
    Column("given_by", Code, nullable=False),
    Column("ended_ms", Int),
    Column("ended_by", Code, nullable=False),
    Column("reason", Words, nullable=False),
)
