"""Local tables of the rules over arriving facts: how far each stream was asked about, and what counted lately."""

from __future__ import annotations

from sqlalchemy import Column, Index

from shared.db.types import Code, Id, Int, Words, local_table

asked_to = local_table(
    # one row a life of a stream; the row of the empty stream says that asking has begun
    "group_rule_asked",
    Column("stream", Code, primary_key=True),
    Column("epoch", Code, primary_key=True),
    Column("seq", Int, nullable=False),
    # 1: came after asking had begun; what it recorded before a rule is no news to the rule
    Column("joined", Int, nullable=False),
)

hit = local_table(
    # a fact that counts for a rule; kept as long as the longest window
    "group_rule_hit",
    Column("rule", Code, primary_key=True),  # ID:version
    Column("fact_id", Id, primary_key=True),
    Column("key", Words, nullable=False),
    Column("at_ms", Int, nullable=False),
    Column("plant", Code, nullable=False),
    Column("piece", Code, nullable=False),
    # JSON with sorted keys, of what the rule asks: an older fact told later may make this one speak
    Column("inputs", Words, nullable=False),
    Index("ix_group_rule_hit_window", "rule", "key", "at_ms"),
    Index("ix_group_rule_hit_at", "at_ms"),
)
