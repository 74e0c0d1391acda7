"""Rows of words about standards: proposals of plants with the office's answers, comments of people."""

from __future__ import annotations

from sqlalchemy import Column, Index

from shared.db.types import Code, Id, Int, Words, projection_table

proposal = projection_table(
    "standard_proposal",
    Column("proposal_id", Id, primary_key=True),
    Column("standard_id", Code, nullable=False),
    Column("version", Int, nullable=False),
    Column("parameter", Code, nullable=False),
    Column("value", Words, nullable=False),
    Column("since_ms", Int, nullable=False),
    Column("reason", Words, nullable=False),
    Column("proposed_by", Words, nullable=False),
    Column("proposed_ms", Int, nullable=False),
)

proposal_answer = projection_table(
    "standard_proposal_answer",
    Column("proposal_id", Id, primary_key=True),
    Column("plant", Code, nullable=False),
    # drafted | declined
    Column("answer", Code, nullable=False),
    Column("version", Int, nullable=False),
    Column("reason", Words, nullable=False),
    Column("answered_ms", Int, nullable=False),
)

comment = projection_table(
    "standard_comment",
    Column("comment_id", Id, primary_key=True),
    Column("standard_id", Code, nullable=False),
    Column("version", Int, nullable=False),
    Column("text", Words, nullable=False),
    # person ids, each between two spaces
    Column("mentions", Words, nullable=False),
    Column("said_by", Code, nullable=False),
    Column("said_ms", Int, nullable=False),
    Index("ix_standard_comment_version", "author", "standard_id", "version"),
)
