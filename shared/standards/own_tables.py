"""Rows of what the hub's own rules said, of a plant's own standards, and of launches."""

from __future__ import annotations

from sqlalchemy import Column, Index, String

from shared.db.types import Code, Id, Int, Words, projection_table

Hash = String(64)

group_decision = projection_table(
    "group_decision",
    Column("decision_id", Id, primary_key=True),
    Column("rule_id", Code, nullable=False),
    Column("rule_version", Int, nullable=False),
    Column("rule_hash", Hash, nullable=False),
    Column("plant", Code, nullable=False),
    Column("fact_id", Id, nullable=False),
    Column("key", Words, nullable=False),
    # violated | failed
    Column("outcome", Code, nullable=False),
    # JSON texts with sorted keys
    Column("inputs", Words, nullable=False),
    Column("explanation", Words, nullable=False),
    Column("counted", Words, nullable=False),
    Column("at_ms", Int, nullable=False),
    Column("workflow_id", Code, nullable=False),
    Column("workflow_version", Int, nullable=False),
    Column("workflow_hash", Hash, nullable=False),
    Column("decided_ms", Int, nullable=False),
    Index("ix_group_decision_decided", "author", "decided_ms"),
    Index("ix_group_decision_rule", "author", "rule_id", "at_ms"),
)

own_deployment = projection_table(
    # what of a plant's own is in force: its last word on each
    "own_deployment",
    Column("standard_id", Code, primary_key=True),
    Column("version", Int, nullable=False),
    Column("sha256", Hash, nullable=False),
    Column("reason", Words, nullable=False),
    Column("trial", Words, nullable=False),
    Column("back", Int, nullable=False),
    Column("deployed_by", Code, nullable=False),
    Column("deployed_ms", Int, nullable=False),
)

product_launch = projection_table(
    "product_launch",
    Column("launch_id", Id, primary_key=True),
    Column("product_id", Code, nullable=False),
    Column("title", Words, nullable=False),
    Column("template", Code, nullable=False),
    Column("grade", Code, nullable=False),
    Column("source", Code, nullable=False),
    Column("reference", Words, nullable=False),
    # JSON: a list of "ID vN"
    Column("standards", Words, nullable=False),
    # JSON: a list of texts
    Column("left_out", Words, nullable=False),
    Column("begun_by", Code, nullable=False),
    Column("begun_ms", Int, nullable=False),
)
